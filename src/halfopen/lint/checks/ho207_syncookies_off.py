"""HO207: SYN cookies are switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_syncookies"


class SyncookiesOff(Check):
    """Without SYN cookies a full SYN queue drops everybody's SYNs.

    ## What it finds
    Lines that set `net.ipv4.tcp_syncookies` to 0.

    ## Why it matters
    A SYN that finds the SYN queue full is dropped, whoever sent it, and already at three quarters of
    `tcp_max_syn_backlog`; with cookies it is answered. None is sent while no queue is full. What a flood then does to
    clients, the experiment `flood-with-clients` shows: under 1000 forged SYNs a second at most half of them are served
    without cookies, and nearly all with them.

    ## Evidence
    The value in the file.

    ## Confirm by hand
    `nstat -az TcpExtTCPReqQFullDrop TcpExtListenDrops`.

    ## Remedy
    Delete the line, or write 1, the default.

    ## When it is wrong
    Where something before the host answers SYNs for it, and a laboratory wants to see the queue itself.

    ## References
    Linux `net/ipv4/tcp_input.c`, `tcp_conn_request`.
    """

    code = "HO207"
    name = "syncookies-off"
    severity = "warning"
    harm = "risk"
    proof = "syn-queue-limits"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that switches them off."""
        for document, item in context.settings(KEY):
            if item.number == 0:
                yield self.on(
                    document,
                    item,
                    "a full SYN queue then drops everybody's SYNs: those of clients with those of a flood",
                    "write 1, the default: cookies are sent only while a queue is full",
                    want="1",
                )
