"""HO814: TCP_DEFER_ACCEPT where the server may speak first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class DeferredAccept(Check):
    """TCP_DEFER_ACCEPT holds up protocols in which the server speaks first.

    ## What it finds
    `deferred` on nginx stream servers and `defer-accept` on HAProxy sections in TCP mode.

    ## Why it matters
    The connection is handed over only when the client has sent data. Where the server speaks first (SMTP, MySQL,
    SSH), both wait for each other until the timer ends, 1 to 15 s. Idle clients fill the SYN queue, and SYN cookies
    bypass the option altogether.

    ## Evidence
    The option.

    ## Confirm by hand
    `nstat -az TcpExtTCPDeferAcceptDrop` grows; `ss -tan state syn-recv` shows clients that believe to be connected.

    ## Remedy
    Remove the option.

    ## When it is wrong
    Where the proxied protocol is one in which the client speaks first, such as TLS.

    ## References
    tcp(7), TCP_DEFER_ACCEPT; Linux `net/ipv4/tcp_minisocks.c`, `tcp_check_req`.
    """

    code = "HO814"
    name = "deferred-accept"
    severity = "warning"
    harm = "slow"
    proof = "defer-accept"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, listener in context.listeners():
            if listener.deferred and not listener.reads_first:
                yield self.at(
                    document,
                    (listener.line, listener.column),
                    listener.name,
                    "where the server speaks first (SMTP, MySQL, SSH) both sides wait for each other "
                    "until a timer ends",
                    "remove the option",
                    kind="listener",
                )
