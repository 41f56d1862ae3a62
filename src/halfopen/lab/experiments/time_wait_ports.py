"""A client that closes first runs out of ports for one destination, and what helps and what does not."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab.closing_first import NO_PORT, PORTS, RANGE, few_ports, once
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, states
from halfopen.lab.story import Between
from halfopen.lab.traffic import BY_RST, PORT, Attempt, Target, close_all, connect, listen
from halfopen.lab.waiting import until
from halfopen.lab.watching import Watching

if TYPE_CHECKING:
    from halfopen.lab.story import Story
    from halfopen.lab.topology import Pair

FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
#: TCP_TIMEWAIT_LEN, include/net/tcp.h: 60 s, whatever the settings.
TIME_WAIT_MS = 60_000


def run(story: Story) -> None:
    """Use every port up, try the most common advice, and then do what helps."""
    net = few_ports(story)
    first, second = (listen(net.server, net.server_address, 64, port=port) for port in (PORT, PORT + 1))
    story.say(
        f"The client has {PORTS} ports ({RANGE}). It opens {PORTS} connections to one server, one after the other, and "
        "closes each first, as a client without keep-alive does."
    )
    moment = Moment.of(net.client)
    with Watching(lambda: PORTS - states(net.client).get("TIME_WAIT", 0)) as headroom:
        worked = sum(once(net, first) is None for _ in range(PORTS))
    story.figure("Ports left for one destination", "seconds", "ports", headroom.points)
    story.expect("connections that worked", PORTS, worked)
    story.expect("sockets in TIME_WAIT", PORTS, states(net.client).get("TIME_WAIT", 0))
    story.expect("the next connection", NO_PORT, once(net, first))
    Examination.begin(net.client).expect(story, "HO301", found=True)
    story.pitfall()
    story.expect("  ActiveOpens: only those that were sent, and not that one", PORTS, moment.since("ActiveOpens"))
    failing = Moment.of(net.client)
    story.expect("one more", NO_PORT, once(net, first))
    story.expect("  counters that moved with it", "none", ", ".join(failing.moved()) or "none")
    story.expect("a connection to another port of the same server", "connected", once(net, second) or "connected")
    _fin_timeout(story, net, first, second)
    _half(story, few_ports(story, " half way"))
    _keep_alive(story, few_ports(story, " with a pool"))
    first.close()
    second.close()


def _half(story: Story, net: Pair) -> None:
    story.say(f"On the way there, at {PORTS // 2} connections, another such client is warned:")
    with listen(net.server, net.server_address, 64) as listener:
        worked = sum(once(net, listener) is None for _ in range(PORTS // 2))
        story.expect("connections that worked", PORTS // 2, worked)
        for code in ("HO302", "HO304"):
            Examination.begin(net.client).expect(story, code, found=True)


def _fin_timeout(story: Story, net: Pair, listener: socket.socket, other: socket.socket) -> None:
    story.say(f"{FIN_TIMEOUT} = 5, the most common advice:")
    net.client.set_sysctl(FIN_TIMEOUT, 5)
    Examination.begin(net.client).expect(story, "HO203", found=True)
    story.expect("the next connection", NO_PORT, once(net, listener))
    story.expect("one to the other port, closed under that setting", "connected", once(net, other) or "connected")
    left = Between(TIME_WAIT_MS - 3_000, TIME_WAIT_MS + 4_000)
    story.expect("  milliseconds that its TIME_WAIT still has", left, _longest_ms(net))
    until(lambda: _longest_ms(net) < TIME_WAIT_MS - 6_000, "more than those five seconds to pass", 20.0)
    story.expect("after more than those 5 s: sockets in TIME_WAIT", PORTS + 2, states(net.client).get("TIME_WAIT", 0))


def _keep_alive(story: Story, net: Pair) -> None:
    story.remedy(
        "Keep connections open and use them again: a pool, or HTTP keep-alive. Where the server closes first, its "
        f"TIME_WAIT costs the client no port. And leave {FIN_TIMEOUT} at 60. Another client with {PORTS} ports:"
    )
    target = Target(net.server_address, PORT + 2)
    listener = listen(net.server, net.server_address, 64, port=PORT + 2)
    (kept,) = connect(net.client, target)
    peer, _ = net.server.run(listener.accept)
    served = sum(_ask(kept.socket, peer) for _ in range(3 * PORTS))
    story.expect(f"of {3 * PORTS} requests over one connection, answered", 3 * PORTS, served)
    close_all([kept])
    peer.close()
    worked = sum(_server_first(net, target, listener) for _ in range(3 * PORTS))
    story.expect(f"of {3 * PORTS} connections that the server closed first, worked", 3 * PORTS, worked)
    story.expect(
        "sockets in TIME_WAIT that they left on the server, each reopened by the next SYN from its port",
        Between(1, PORTS),
        until(lambda: states(net.server).get("TIME_WAIT", 0), "TIME_WAIT on the server"),
    )
    worked = sum(_by_rst(net, target, listener) for _ in range(3 * PORTS))
    story.expect(f"of {3 * PORTS} connections that the client closed by RST, worked", 3 * PORTS, worked)
    story.expect("TIME_WAIT on the client: of the one that it closed first", 1, states(net.client).get("TIME_WAIT", 0))
    for code in EXPERIMENT.proves:
        Examination.begin(net.client).expect(story, code, found=False)
    listener.close()


def _ask(client: socket.socket, server: socket.socket) -> bool:
    client.setblocking(True)  # noqa: FBT003  (the library's signature)
    client.sendall(b"?")
    server.sendall(server.recv(1))
    return client.recv(1) == b"?"


def _server_first(net: Pair, target: Target, listener: socket.socket) -> bool:
    (attempt,) = connect(net.client, target)
    peer, _ = net.server.run(listener.accept)
    peer.shutdown(socket.SHUT_WR)
    attempt.socket.setblocking(True)  # noqa: FBT003  (the library's signature)
    ended = attempt.socket.recv(1) == b""
    _close_in_order(attempt, peer)
    return attempt.connected and ended


def _by_rst(net: Pair, target: Target, listener: socket.socket) -> bool:
    (attempt,) = connect(net.client, Target(target.address, target.port, (BY_RST,)))
    attempt.close()
    with net.server.run(listener.accept)[0] as peer:
        try:
            peer.recv(1)
        except ConnectionResetError:
            return attempt.connected
    return False


def _close_in_order(attempt: Attempt, peer: socket.socket) -> None:
    attempt.close()
    peer.close()


def _longest_ms(net: Pair) -> int:
    return max(row["expires_ms"] for row in net.client.run(_core.tcp_sockets, ["TIME_WAIT"]))


EXPERIMENT = Experiment(
    name="time-wait-ports",
    title="A client that closes first runs out of ports, and what helps",
    claim="Ports run out for each destination separately, and no counter tells; tcp_fin_timeout does not shorten "
    "TIME_WAIT, and keep-alive, or a server that closes first, cures it.",
    run=run,
    proves=("HO203", "HO301", "HO302", "HO304"),
    hosts=hosts_of_pairs("", " half way", " with a pool"),
)
