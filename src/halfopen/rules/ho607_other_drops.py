"""HO607: SYNs are dropped at listeners, and no queue explains it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.rules.cookies import mode
from halfopen.rules.drops import other_drops
from halfopen.rules.rule import Rule
from halfopen.rules.syn_queue import MAX_SYN_BACKLOG, soft_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

DROPPED_MIN = 5


class OtherDrops(Rule):
    """SYNs are dropped at listeners, and no queue and no route explains it.

    ## What it finds
    `ListenDrops` that moves more than the counters of full queues, while every packet finds a route.

    ## Why it matters
    Clients wait for a second and more. What remains: no memory for the request, a security module that refuses, the
    three-quarter rule after it has passed, a child socket that could not be made, SYNs to a broadcast address.

    ## Evidence
    `ListenDrops` less `ListenOverflows` less `TCPReqQFullDrop`.

    ## Confirm by hand
    `nstat -az TcpExtListenDrops TcpExtListenOverflows TcpExtTCPReqQFullDrop IpOutNoRoutes`, twice.

    ## Remedy
    Look at memory (`dmesg`), at the audit log of SELinux or AppArmor, and, without SYN cookies, at HO108.

    ## When it is wrong
    SYNs to a broadcast or multicast address are harmless.

    ## References
    Linux `net/ipv4/tcp_input.c` `tcp_conn_request`, `net/ipv4/tcp_ipv4.c` `tcp_v4_conn_request`.
    """

    code = "HO607"
    name = "drops-without-a-queue"
    severity = "notice"
    harm = "slow"
    proof = "drops-without-a-queue"
    needs = ("counters",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            drops = other_drops(space)
            if drops < DROPPED_MIN or _three_quarters(space):
                continue
            yield self.finding(
                space.whole(),
                "SYNs are dropped at listeners, and no full queue explains it.",
                (
                    Evidence(
                        "drops that no queue explains", drops, "SYNs", "ListenDrops - ListenOverflows - TCPReqQFullDrop"
                    ),
                    space.counted("ListenDrops", "drops at listeners", "packets"),
                ),
                confirm=space.command(
                    "nstat -az TcpExtListenDrops TcpExtListenOverflows TcpExtTCPReqQFullDrop IpOutNoRoutes"
                ),
                confidence="possible",
            )


def _three_quarters(space: Space) -> bool:
    """Whether HO108 says more."""
    most = space.sysctl(MAX_SYN_BACKLOG)
    return (
        mode(space) == "never"
        and most is not None
        and any(one.syn_queue >= soft_limit(most) for one in space.listening)
    )
