"""HO202: tcp_max_syn_backlog is set while SYN cookies are on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_max_syn_backlog"
COOKIES = "net.ipv4.tcp_syncookies"


class SynBacklogWithoutEffect(Check):
    """`tcp_max_syn_backlog` is not consulted while SYN cookies are on.

    ## What it finds
    Lines that set `net.ipv4.tcp_max_syn_backlog` while the same files leave `tcp_syncookies` at 1 (the default) or 2.

    ## Why it matters
    Since Linux 4.4 the SYN queue of a listener is as long as its own backlog: what the program passed to listen(),
    capped by `net.core.somaxconn`. This setting is read with `tcp_syncookies = 0` only, and then as a soft limit: SYNs
    of unknown peers are dropped at three quarters of it. Whoever raised it against dropped SYNs changed nothing.

    ## Evidence
    The value in the file; `tcp_syncookies` as the files leave it.

    ## Confirm by hand
    Backlog 100, `tcp_max_syn_backlog=16`, cookies on: `ss -tan state syn-recv` counts 101 half-open connections.

    ## Remedy
    Delete the line. Enlarge the program's backlog and, if it is lower than that, `net.core.somaxconn`.

    ## When it is wrong
    On kernels before 4.4, where it was the size of the queue.

    ## References
    Linux 4.4, commit ef547f2ac16b; `net/ipv4/tcp_input.c`, `tcp_conn_request`.
    """

    code = "HO202"
    name = "syn-backlog-without-effect"
    severity = "warning"
    harm = "untidy"
    proof = "syn-queue-limits"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that sets it in vain."""
        if context.kernel.version < (4, 4) or context.value(COOKIES) == 0:
            return
        for document, item in context.settings(KEY):
            yield self.on(
                document,
                item,
                "with tcp_syncookies on it is not consulted: the SYN queue is as long as each listener's own backlog, "
                "capped by net.core.somaxconn",
                "delete the line; enlarge the program's backlog, and net.core.somaxconn if that is lower",
            )
