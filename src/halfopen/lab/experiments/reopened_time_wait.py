"""A server's TIME_WAIT does not stop its client: a new SYN reopens it; a copy of an old one is answered with an ACK."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, states
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Attempt, Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

CLIENT_PORT = 41000
TIMESTAMPS = "net.ipv4.tcp_timestamps"
REUSE = "net.ipv4.tcp_tw_reuse"
SHARE = (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
ROUNDS = 5


def run(story: Story) -> None:
    """One client port, again and again, with a server that closes first; with and without timestamps."""
    net = pair(story.network)
    listener = listen(net.server, net.server_address, 8)
    net.server.set_sysctl(REUSE, 0)
    story.say(
        f"The server closes first and is left with TIME_WAIT. The client connects again at once, {ROUNDS} times, from "
        f"the same port. On the server {REUSE} is 0."
    )
    for timestamps in (1, 0):
        net.client.set_sysctl(TIMESTAMPS, timestamps)
        worked = 0
        for _ in range(ROUNDS):
            attempt = _round(net, listener)
            worked += attempt.connected and (attempt.seconds or 0) < 0.5
        story.expect(f"timestamps {timestamps}: connects that worked at once", ROUNDS, worked)
        story.expect("  sockets in TIME_WAIT on the server", 1, states(net.server).get("TIME_WAIT", 0))
    story.say("So a server with many sockets in TIME_WAIT needs nothing. Behind a NAT it is the same:")
    _two_hosts(story, net, listener)
    listener.close()


def _two_hosts(story: Story, net: Pair, listener: socket.socket) -> None:
    """Two clients behind one address have clocks of their own: the second one's timestamps may be the older ones."""
    net.client.set_sysctl(TIMESTAMPS, 1)
    attempt = _round(net, listener)
    story.expect("a first client's connect worked", 1, int(attempt.connected))
    moment = Moment.of(net.server)
    net.client.set_sysctl(TIMESTAMPS, 0)
    attempt = _round(net, listener)
    story.expect(
        "a second client without timestamps, from the same address and port: worked", 1, int(attempt.connected)
    )
    story.expect("PAWS rejections on the server", 0, moment.since("PAWSActive") + moment.since("PAWSEstab"))


def _round(net: Pair, listener: socket.socket) -> Attempt:
    """One connection from the fixed port, closed by the server first."""
    target = Target(net.server_address, options=(SHARE,), bind=("0.0.0.0", CLIENT_PORT))  # noqa: S104  (in a namespace)
    (attempt,) = connect(net.client, target, timeout_s=3.0)
    if attempt.connected:
        guest, _ = net.server.run(listener.accept)
        guest.close()
        until(lambda: states(net.client).get("CLOSE_WAIT", 0) == 1, "the server's FIN")
    close_all([attempt])
    until(lambda: not _open(net), "the connection to close")
    return attempt


def _open(net: Pair) -> bool:
    return any(states(net.client).get(state, 0) for state in ("LAST_ACK", "CLOSE_WAIT", "FIN_WAIT1", "FIN_WAIT2"))


EXPERIMENT = Experiment(
    name="reopened-time-wait",
    title="A server's TIME_WAIT does not stop its clients",
    claim="A new SYN from the same address and port reopens a connection in TIME_WAIT at once, with or without "
    "timestamps (RFC 6191, RFC 1122), whatever tcp_tw_reuse is on the server.",
    run=run,
)
