"""HO107: tcp_abort_on_overflow is switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_abort_on_overflow"


class AbortOnOverflow(Check):
    """`tcp_abort_on_overflow` turns a moment of slowness into refused connections.

    ## What it finds
    Lines that set `net.ipv4.tcp_abort_on_overflow` to anything but 0.

    ## Why it matters
    The last ACK of a handshake that meets a full accept queue is answered by a RST, where the client would otherwise
    have been served a second later. It does less than is said of it: SYNs still stay unanswered when the queue is full.

    ## Evidence
    The value in the file.

    ## Confirm by hand
    `sysctl net.ipv4.tcp_abort_on_overflow`; resets show as `TcpExtEmbryonicRsts` of `nstat -az`.

    ## Remedy
    Delete the line. Make the program accept faster, or give it a larger backlog.

    ## When it is wrong
    Behind a load balancer that tries another server at once on a RST, it may be meant.

    ## References
    Linux `net/ipv4/tcp_minisocks.c`, `tcp_check_req`.
    """

    code = "HO107"
    name = "abort-on-overflow"
    severity = "warning"
    harm = "risk"
    proof = "lost-final-ack"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that switches it on."""
        for document, item in context.settings(KEY):
            if item.number:
                yield self.on(
                    document,
                    item,
                    "a client that meets a full accept queue for a moment is refused instead of served a second later; "
                    "SYNs are still dropped in silence",
                    "delete the line: enlarge the program's backlog, or let it accept faster",
                    want="0",
                )
