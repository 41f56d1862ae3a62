"""HO813: a backlog of a few connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

TINY = 64
"""About what one busy browser and a health check open at once, several times over."""


class BacklogTiny(Check):
    """A backlog of a few connections overflows with the first burst.

    ## What it finds
    A backlog below 64 that a configuration asks for.

    ## Why it matters
    The accept queue holds the backlog and one more. A pause of the program of a second overflows it at that many
    connects a second; clients then wait one second, three, or seven, and nobody gets an error.

    ## Evidence
    The backlog.

    ## Confirm by hand
    `ss -ltn`: Send-Q; `nstat -az TcpExtListenOverflows`.

    ## Remedy
    Ask for 511 or more; an empty queue costs nothing.

    ## When it is wrong
    For a service that a single client uses, or one connection at a time on purpose.

    ## References
    Linux `include/net/sock.h`, `sk_acceptq_is_full`; listen(2).
    """

    code = "HO813"
    name = "backlog-tiny"
    severity = "notice"
    harm = "risk"
    proof = "accept-queue-overflow"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, place, name, listener in context.backlogs():
            chosen = listener.explicit and not listener.is_derived
            if chosen and listener.backlog is not None and 0 <= listener.backlog < TINY:
                yield self.at(
                    document,
                    place,
                    name,
                    f"its queues hold {listener.backlog + 1} connections: the first burst overflows them, "
                    "and clients wait seconds",
                    f"raise {listener.how}; 511 is a usual number",
                    kind="listener",
                )
