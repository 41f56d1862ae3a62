"""HO703: sockets without a process are near their limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import share
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

KEY = "net.ipv4.tcp_max_orphans"
#: The kernel may count one socket up to four times under pressure (tcp_too_many_orphans, its shift of 2).
NEAR_SHARE = 0.25


class Orphans(Rule):
    """Sockets that no process holds any more are near their limit.

    ## What it finds
    A quarter of `tcp_max_orphans` and more, or connections reset for want of memory (`TCPAbortOnMemory`).

    ## Why it matters
    Beyond the limit the kernel resets connections whose program has closed them and whose last data is still on its
    way: the peers lose the end of their answers. For one that has sent nothing for minutes half the limit counts, and
    so it does where ICMP errors came; a quarter where both is so. So says the kernel's source; no experiment shows it,
    because the limit is one for the whole host, and other programs would lose connections.

    ## Evidence
    Orphans of the whole host (the number is one for all namespaces), the limit, `TCPAbortOnMemory`.

    ## Confirm by hand
    `cat /proc/net/sockstat`; `nstat -az TcpExtTCPAbortOnMemory`.

    ## Remedy
    Find the peers that do not take their data (`ss -tan state fin-wait-1`), or the path that lost them. Raise the limit
    if memory allows.

    ## When it is wrong
    A burst at the end of a load test.

    ## References
    Linux `net/ipv4/tcp.c` `tcp_check_oom`, `tcp_too_many_orphans`; Documentation/networking/ip-sysctl.rst.
    """

    code = "HO703"
    name = "orphans-near-limit"
    severity = "warning"
    harm = "growing"
    needs = ("sysctls",)

    def check(self, context: Context) -> Iterator[Finding]:
        """At most one finding: orphans are counted for the whole host."""
        space, orphans = context.host, context.now.shared.orphans
        if space is None or orphans is None:
            return
        limit, aborted = space.sysctl(KEY), sum(one.grown("TCPAbortOnMemory") for one in context.spaces)
        if not limit or (orphans < NEAR_SHARE * limit and not aborted):
            return
        yield self.finding(
            space.key(KEY),
            "Connections are reset for want of memory or of room for orphans."
            if aborted
            else f"{share(orphans, limit)} of the sockets without a process that are allowed exist.",
            (
                Evidence("sockets without a process", orphans, "sockets", "/proc/net/sockstat TCP orphan"),
                space.setting(KEY),
                Evidence("connections reset for want of memory", aborted, "connections", "TCPAbortOnMemory")
                if aborted
                else None,
            ),
            remedy=Remedy("Find the peers that do not take their data.", (), ("ss -tan state fin-wait-1",)),
            confirm="cat /proc/net/sockstat",
            severity="critical" if aborted else None,
            harm="failing" if aborted else None,
        )
