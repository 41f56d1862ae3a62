"""A client that closes first runs out of ports for one destination, and what of all the advice helps."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, states
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, Attempt, Target, close_all, connect, listen
from halfopen.lab.waiting import stopwatch, until
from halfopen.lab.watching import Watching

if TYPE_CHECKING:
    from halfopen.lab.story import Story

RANGE = "net.ipv4.ip_local_port_range"
REUSE = "net.ipv4.tcp_tw_reuse"
DELAY = "net.ipv4.tcp_tw_reuse_delay"
FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
TIMESTAMPS = "net.ipv4.tcp_timestamps"
LOW, PORTS = 40000, 20
#: Shorter than the default of tcp_tw_reuse_delay; and how late we may notice.
SHORT_MS, LATE_S = 300, 0.6
NO_PORT = "EADDRNOTAVAIL"
#: TCP_TIMEWAIT_LEN, include/net/tcp.h: 60 s, whatever the settings.
TIME_WAIT_MS = 60_000


def run(story: Story) -> None:
    """Use every port up, try each piece of advice, and then do what helps."""
    net = pair(story.network)
    net.client.set_sysctl(RANGE, f"{LOW} {LOW + PORTS - 1}")
    first, second = (listen(net.server, net.server_address, 64, port=port) for port in (PORT, PORT + 1))
    story.say(
        f"The client has {PORTS} ports ({RANGE}). It opens {PORTS} connections to one server, one after the other, and "
        "closes each first, as a client without keep-alive does."
    )
    moment = Moment.of(net.client)
    with Watching(lambda: PORTS - states(net.client).get("TIME_WAIT", 0)) as headroom:
        story.expect("connections that worked", PORTS, sum(_once(net, first) is None for _ in range(PORTS)))
    story.figure("Ports left for one destination", "seconds", "ports", headroom.points)
    story.expect("sockets in TIME_WAIT", PORTS, states(net.client).get("TIME_WAIT", 0))
    story.expect("the next connection", NO_PORT, _once(net, first))
    Examination.begin(net.client).expect(story, "HO301", found=True)
    story.expect("counters that tell of it: ActiveOpens counts only what was sent", PORTS, moment.since("ActiveOpens"))
    story.expect("a connection to another port of the same server", None, _once(net, second, PORT + 1))

    story.say(f"{FIN_TIMEOUT} = 5, the most common advice:")
    net.client.set_sysctl(FIN_TIMEOUT, 5)
    story.expect("the next connection", NO_PORT, _once(net, first))
    left = Between(TIME_WAIT_MS - 15_000, TIME_WAIT_MS + 4_000)
    story.expect("milliseconds that the youngest TIME_WAIT still has", left, _longest_ms(net))
    story.say(f"{REUSE} = 2, the default, is for loopback addresses only:")
    net.client.set_sysctl(REUSE, 2)
    story.expect("the next connection", NO_PORT, _once(net, first))
    net.client.set_sysctl(REUSE, 0)
    story.expect(f"  with {REUSE} = 0", NO_PORT, _once(net, first))
    _reuse(story, net)
    _keep_alive(story, net)
    first.close()
    second.close()


def _reuse(story: Story, net: Pair) -> None:
    has_delay = net.client.has_sysctl(DELAY)
    delay_ms = int(net.client.sysctl(DELAY)) if has_delay else 1000
    story.say(
        f"{REUSE} = 1 reuses a port whose TIME_WAIT is older than {delay_ms} ms, for connections that had timestamps. "
        "On another client, whose ports are used up at once:"
    )
    for wanted in (delay_ms, SHORT_MS) if has_delay else (delay_ms,):
        _reuse_after(story, wanted)
    _reuse_without(story, delay_ms)


def _reuse_after(story: Story, delay_ms: int) -> None:
    """How old the oldest TIME_WAIT is when its port is taken again."""
    net = pair(story.network, suffix=f" with {delay_ms} ms")
    net.client.set_sysctl(RANGE, f"{LOW} {LOW + PORTS - 1}")
    net.client.set_sysctl(REUSE, 1)
    if net.client.has_sysctl(DELAY):
        net.client.set_sysctl(DELAY, delay_ms)
    with listen(net.server, net.server_address, 64) as listener:
        moment = Moment.of(net.client)
        age, opened = stopwatch(), 1
        _once(net, listener)
        while _once(net, listener) is None and not moment.since("TWRecycled"):
            opened += 1
        refused = age()
        until(lambda: moment.since("TWRecycled") or _once(net, listener) is None, "a port to be free again", 5.0)
        story.expect(
            f"{delay_ms} ms: seconds of TIME_WAIT when a port was taken again",
            Between(delay_ms / 1000, delay_ms / 1000 + LATE_S),
            age(),
        )
        if refused < delay_ms / 1000:
            story.expect("  connections before that", PORTS, opened)
        story.expect("  TWRecycled: ports that were reused", 1, moment.since("TWRecycled"))


def _reuse_without(story: Story, delay_ms: int) -> None:
    """A client that never had time stamps; a connection that reuses a port inherits that the old one had some."""
    story.say(f"With {TIMESTAMPS} = 0 it can do nothing for connections that had none:")
    net = pair(story.network, suffix=" without timestamps")
    for key, value in ((RANGE, f"{LOW} {LOW + PORTS - 1}"), (REUSE, 1), (TIMESTAMPS, 0)):
        net.client.set_sysctl(key, value)
    with listen(net.server, net.server_address, 64) as listener:
        moment = Moment.of(net.client)
        worked = sum(_once(net, listener) is None for _ in range(PORTS))
        age = stopwatch()
        story.expect("connections that worked", PORTS, worked)
        until(lambda: age() > 2 * delay_ms / 1000, "twice that time to pass")
        story.expect("the next connection, after twice that time", NO_PORT, _once(net, listener))
        story.expect("  TWRecycled", 0, moment.since("TWRecycled"))


def _keep_alive(story: Story, net: Pair) -> None:
    story.remedy(
        "Keep connections open and use them again: a pool, or HTTP keep-alive. Where the server closes first, its "
        "TIME_WAIT costs the client no port."
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
    listener.close()


def _once(net: Pair, listener: socket.socket, port: int = PORT) -> str | None:
    """One connection that the client closes first; the name of its error."""
    (attempt,) = connect(net.client, Target(net.server_address, port), timeout_s=5.0)
    attempt.close()
    if attempt.seconds is None:
        return "no answer"
    if attempt.connected:
        net.server.run(listener.accept)[0].close()
        until(lambda: "FIN_WAIT2" not in states(net.client), "the server's FIN to arrive")
    return attempt.error


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


def _close_in_order(attempt: Attempt, peer: socket.socket) -> None:
    attempt.close()
    peer.close()


def _longest_ms(net: Pair) -> int:
    return max(row["expires_ms"] for row in net.client.run(_core.tcp_sockets, ["TIME_WAIT"]))


EXPERIMENT = Experiment(
    name="time-wait-ports",
    title="A client that closes first runs out of ports, and what helps",
    claim="Ports run out for each destination separately, and no counter tells; tcp_fin_timeout does not shorten "
    "TIME_WAIT, tcp_tw_reuse=1 helps after a second and with timestamps only, and keep-alive cures it.",
    run=run,
    proves=("HO203", "HO206", "HO301", "HO302", "HO304"),
)
