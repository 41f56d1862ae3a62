"""HO811: a backlog that the kernel cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.core.somaxconn"
UNLIMITED = 2**31 - 1
"""What programs write for «as much as the kernel allows»."""


class BacklogAboveCap(Check):
    """The kernel cuts a backlog to `somaxconn` without a word.

    ## What it finds
    A backlog in the configuration of nginx, HAProxy, Redis, PostgreSQL or a systemd socket that is larger than
    `net.core.somaxconn`: as the sysctl files of the same run set it (a warning), or the kernel's default where they
    do not (a notice).

    ## Why it matters
    listen() succeeds and takes the smaller of the two. The program believes in a queue that it does not have. The
    host's setting does not reach containers: there the default counts.

    ## Evidence
    The backlog and the cap.

    ## Confirm by hand
    `ss -ltn`: Send-Q of the listener.

    ## Remedy
    Raise `net.core.somaxconn` to the backlog before the program starts, or lower the backlog.

    ## When it is wrong
    When somaxconn is raised by a file that was not given.

    ## References
    Linux `net/socket.c`, `__sys_listen`.
    """

    code = "HO811"
    name = "backlog-above-cap"
    severity = "warning"
    harm = "risk"
    proof = "backlog-and-somaxconn"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        cap = context.value(KEY)
        known = context.sets(KEY)
        for document, place, name, listener in context.backlogs():
            if cap is None or not listener.explicit or listener.backlog is None or listener.backlog <= cap:
                continue
            if listener.backlog >= UNLIMITED:
                continue
            whose = "as the files set it" if known else f"the default on Linux {context.kernel.version}"
            yield self.at(
                document,
                place,
                name,
                f"listen() cuts the backlog {listener.backlog} to net.core.somaxconn, {cap} ({whose})",
                f"set net.core.somaxconn = {listener.backlog} before the program starts"
                + ("" if listener.is_derived else ", or lower the backlog"),
                kind="listener",
                severity=None if known else "notice",
            )
