"""A source address bound before connect() takes its port away from every destination."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import BY_RST, PORT, Attempt, Option, Target, close_all, connect, listen

if TYPE_CHECKING:
    from halfopen.lab.story import Story

RANGE = "net.ipv4.ip_local_port_range"
LOW, PORTS = 40000, 240
#: Less than half of the ports: from there on connect() by itself, too, takes those that bind() prefers.
SOME = 110
#: include/uapi/linux/in.h
IP_BIND_ADDRESS_NO_PORT = 24
LATE: Option = (socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
SHARED: Option = (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)


def run(story: Story) -> None:
    """Use the ports up for one destination, and find none for the next; then let connect() choose them."""
    net = pair(story.network)
    net.client.set_sysctl(RANGE, f"{LOW} {LOW + PORTS - 1}")
    listeners = [listen(net.server, net.server_address, 2 * PORTS, port=port) for port in (PORT, PORT + 1)]
    story.say(
        f"The client has {PORTS} ports ({RANGE}). It binds its own address and port 0 before each connect(), as a "
        "proxy does that is told which source address to use."
    )
    held = _connect(net, PORT, SOME)
    Examination.begin(net.client).expect(story, "HO305", found=True)
    held += _connect(net, PORT, PORTS - SOME)
    story.expect("connections to a first server", PORTS, _connected(held))
    story.expect(f"  ports of the first {SOME}: the odd ones first", PORTS // 2, _odd(held[: PORTS // 2]))
    (bound,) = _connect(net, PORT + 1, 1)
    story.expect("the first one to a second server", "EADDRINUSE", bound.error)
    (shared,) = _connect(net, PORT + 1, 1, SHARED)
    story.expect("  with SO_REUSEADDR", "EADDRINUSE", shared.error)
    (plain,) = connect(net.client, Target(net.server_address, PORT + 1))
    story.expect("  of another program, which binds nothing", "EADDRNOTAVAIL", plain.error)
    close_all([bound, shared, plain])

    story.remedy(
        "Set IP_BIND_ADDRESS_NO_PORT on the socket before bind(): connect() then chooses the port, and it is shared by "
        "all destinations."
    )
    close_all(held)
    held = _connect(net, PORT, SOME, LATE)
    story.expect(f"ports that connect() chooses: odd ones of the first {PORTS // 2}", 0, _odd(held[: PORTS // 2]))
    Examination.begin(net.client).expect(story, "HO305", found=False)
    held += _connect(net, PORT, PORTS - SOME, LATE)
    story.expect("connections to a first server", PORTS, _connected(held))
    second = _connect(net, PORT + 1, PORTS, LATE)
    story.expect("connections to a second one, at the same time", PORTS, _connected(second))
    close_all([*held, *second])
    for listener in listeners:
        listener.close()


def _connect(net: Pair, port: int, count: int, *options: Option) -> list[Attempt]:
    target = Target(net.server_address, port, (BY_RST, *options), bind=(net.client_address, 0))
    return connect(net.client, target, count, timeout_s=10.0)


def _odd(attempts: list[Attempt]) -> int:
    return sum(attempt.socket.getsockname()[1] % 2 for attempt in attempts)


def _connected(attempts: list[Attempt]) -> int:
    return sum(attempt.connected for attempt in attempts)


EXPERIMENT = Experiment(
    name="bind-before-connect",
    title="bind() before connect() takes a port away from every destination",
    claim="A port that bind() chose is taken for all destinations, and for those who bind nothing, too; SO_REUSEADDR "
    "does not help, IP_BIND_ADDRESS_NO_PORT does.",
    run=run,
    proves=("HO305",),
)
