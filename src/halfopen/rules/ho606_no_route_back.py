"""HO606: SYNs arrive from addresses to which there is no route back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.drops import other_drops
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

#: Now and then a stray SYN from a private network arrives anywhere.
DROPPED_MIN = 5


class NoRouteBack(Rule):
    """SYNs arrive from addresses to which there is no route back.

    ## What it finds
    Drops at listeners that no full queue explains, while packets find no route (`IpOutNoRoutes`).

    ## Why it matters
    The SYN-ACK cannot be sent, so that the kernel drops the SYN. The client sees silence; `ListenDrops` moves and is
    taken for a queue.

    ## Evidence
    `ListenDrops` less `ListenOverflows` less `TCPReqQFullDrop`, and `IpOutNoRoutes`.

    ## Confirm by hand
    `nstat -az TcpExtListenDrops IpOutNoRoutes`, twice; `ip route get CLIENT`.

    ## Remedy
    Add the route, or the default route, that leads back.

    ## When it is wrong
    Programs of this host that connect to places without a route raise the second counter as well.

    ## References
    Linux `net/ipv4/tcp_input.c` `tcp_conn_request`, `net/ipv4/inet_connection_sock.c` `inet_csk_route_req`.
    """

    code = "HO606"
    name = "no-route-back"
    severity = "warning"
    harm = "failing"
    proof = "drops-without-a-queue"
    needs = ("counters",)
    absorbs = ("HO607",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            drops, unrouted = other_drops(space), space.grown("OutNoRoutes", "Ip")
            if drops < DROPPED_MIN or not unrouted:
                continue
            yield self.finding(
                space.whole(),
                "SYNs are dropped because there is no route back to their sender.",
                (
                    Evidence(
                        "drops that no queue explains", drops, "SYNs", "ListenDrops - ListenOverflows - TCPReqQFullDrop"
                    ),
                    space.counted("OutNoRoutes", "packets without a route", "packets", "Ip"),
                ),
                remedy=Remedy("Add the route that leads back to the clients."),
                confirm=space.command("nstat -az TcpExtListenDrops IpOutNoRoutes"),
                confidence="likely",
            )
