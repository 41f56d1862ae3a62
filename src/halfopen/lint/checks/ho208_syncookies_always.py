"""HO208: SYN cookies for every connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_syncookies"


class SyncookiesAlways(Check):
    """`tcp_syncookies = 2` is a test mode, not a stronger defence.

    ## What it finds
    Lines that set `net.ipv4.tcp_syncookies` to 2.

    ## Why it matters
    Every handshake is then made without a SYN queue: a lost SYN-ACK is never sent again, the MSS is rounded down, and
    clients without timestamps lose window scaling and SACK. Not in the experiment, and measured on Linux 6.18: data of
    a Fast Open SYN is not taken, and a listener with TCP_DEFER_ACCEPT gets the connection before its data.

    ## Evidence
    The value in the file.

    ## Confirm by hand
    `nstat -az TcpExtSyncookiesSent` grows with every connect.

    ## Remedy
    Write 1: cookies are sent exactly while a SYN queue is full.

    ## When it is wrong
    In a laboratory that tests cookies.

    ## References
    Documentation/networking/ip-sysctl.rst; Linux `net/ipv4/tcp_input.c`, `tcp_conn_request`.
    """

    code = "HO208"
    name = "syncookies-always"
    severity = "warning"
    harm = "risk"
    proof = "cookie-options"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that does so."""
        for document, item in context.settings(KEY):
            if item.number == 2:
                yield self.on(
                    document,
                    item,
                    "2 is a test mode: no handshake has its SYN-ACK sent again, or Fast Open, or deferred accept",
                    "write 1: cookies are sent while a SYN queue is full",
                    want="1",
                )
