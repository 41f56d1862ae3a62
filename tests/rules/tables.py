"""Hosts whose kernel's tables are at fault: tracked connections, remembered peers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab import tracked
from halfopen.lab.experiments.conntrack_full import TRACKING
from halfopen.lab.experiments.poisoned_metrics import LATE
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.hosts import Hosts

    from halfopen.lab.namespace import Namespace

PORT = 8000
#: A round trip that is a real one, of another continent.
FAR = "delay=70ms"


def conntrack_near_full(hosts: Hosts) -> Namespace:
    """Four fifths of the table are connections that are open; the server goes on serving."""
    _tracking(hosts, assured=True, share=0.8)
    return hosts.server


def conntrack_full(hosts: Hosts) -> Namespace:
    """All of it is, and clients come in vain."""
    _tracking(hosts, assured=True, share=1.0)
    return hosts.server


def conntrack_full_at_rest(hosts: Hosts) -> Namespace:
    """All of it is, and nobody comes while the doctor looks."""
    hosts.nft(hosts.server, TRACKING)
    tracked.fill(hosts.server, assured=True)
    return hosts.server


def poisoned_metrics(hosts: Hosts) -> Namespace:
    """The kernel remembers a round trip that one late packet made."""
    net = pair(hosts.network, relayed=True, suffix="2")
    net.relay.set_faults([LATE])
    _visit(net, 1)
    return net.client


# --- healthy ----------------------------------------------------------------------------------------------------------


def conntrack_in_use(hosts: Hosts) -> Namespace:
    """Three fifths of the table are open connections, and clients come and go."""
    _tracking(hosts, assured=True, share=0.6)
    return hosts.server


def conntrack_full_of_half_open(hosts: Hosts) -> Namespace:
    """What a flood of SYNs has left fills the table: it gives way to the clients that come."""
    _tracking(hosts, assured=False, share=1.0)
    return hosts.server


def far_peers(hosts: Hosts) -> Namespace:
    """A client whose servers are on another continent: what is remembered of them is true."""
    net = pair(hosts.network, relayed=True, suffix="2")
    net.relay.set_links(FAR, FAR)
    _visit(net, 10)
    return net.client


def _tracking(hosts: Hosts, *, assured: bool, share: float) -> None:
    """A server that tracks connections, such entries in its table, and clients."""
    hosts.serve(PORT, "--echo")
    hosts.nft(hosts.server, TRACKING)
    tracked.fill(hosts.server, assured=assured, share=share)
    hosts.load(PORT, "--rate", "50", "--for", "20s", "--timeout", "5s")


def _visit(net: Pair, times: int) -> None:
    """Connections that the client closes first, until the kernel remembers something of the server."""
    with listen(net.server, net.server_address, 64, port=PORT) as listener:
        for _ in range(times):
            attempts = connect(net.client, net.server_address, timeout_s=5.0)
            guest, _ = net.server.run(listener.accept)
            close_all(attempts)
            guest.close()
        until(
            lambda: any(row["rtt_us"] for row in net.client.run(_core.tcp_metrics)[0]), "a round trip to be kept", 20.0
        )


TABLES_AT_FAULT: tuple[tuple[Callable[[Hosts], Namespace], str], ...] = (
    (conntrack_near_full, "HO601"),
    (conntrack_full, "HO604"),
    (conntrack_full_at_rest, "HO604"),
    (poisoned_metrics, "HO308"),
)
HEALTHY_TABLES: tuple[Callable[[Hosts], Namespace], ...] = (conntrack_in_use, conntrack_full_of_half_open, far_peers)
