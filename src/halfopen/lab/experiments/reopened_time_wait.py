"""A server's TIME_WAIT does not stop its client: a new SYN reopens it; one that looks old needs a second one."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, states
from halfopen.lab.recording import Recording
from halfopen.lab.sequence import next_to_send
from halfopen.lab.story import Between
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
#: Less than half of the numbers, so that «before» is before.
FAR = 1_000_000
AT_ONCE_S = Between(0, 0.5)


@dataclass(frozen=True, slots=True)
class Case:
    """A SYN to a connection in TIME_WAIT: RFC 9293 section 3.6.1, RFC 6191 section 2."""

    timestamps: int
    ahead: int
    """Of the last number that the old connection used."""
    syns: int
    why: str


CASES = (
    Case(1, FAR, 1, "newer by time stamp and by number"),
    Case(1, -FAR, 1, "newer by time stamp, which decides"),
    Case(0, FAR, 1, "newer by number"),
    Case(0, -FAR, 2, "no sign that it is newer"),
)


def run(story: Story) -> None:
    """One client port, again and again, with a server that closes first; then with numbers of our choice."""
    net = pair(story.network)
    net.server.set_sysctl(REUSE, 0)
    with listen(net.server, net.server_address, 8) as listener:
        story.say(
            f"The server closes first and is left with TIME_WAIT. The client connects again at once, {ROUNDS} times, "
            f"from the same port. On the server {REUSE} is 0."
        )
        for timestamps in (1, 0):
            net.client.set_sysctl(TIMESTAMPS, timestamps)
            times = [_round(net, listener)[0].seconds for _ in range(ROUNDS)]
            worked = sum(AT_ONCE_S.holds(seconds) for seconds in times)
            story.expect(f"timestamps {timestamps}: connects that worked at once", ROUNDS, worked)
            story.expect("  sockets in TIME_WAIT on the server", 1, states(net.server).get("TIME_WAIT", 0))
        story.pitfall()
        story.say(
            "So a server with many sockets in TIME_WAIT needs nothing. What makes a SYN a new one is its time stamp "
            "or, where there is none, its number. With numbers of our choice:"
        )
        for case in CASES:
            _judge(story, net, listener, case)
        _unclosed(story, net, listener)
        story.say(
            "What could be an old copy, or meets a connection that is open, is answered with an ACK. The client resets "
            "that, which ends the old connection, and sends its SYN again not a second later but at the next tick of "
            "its clock."
        )


def _judge(story: Story, net: Pair, listener: socket.socket, case: Case) -> None:
    net.client.set_sysctl(TIMESTAMPS, case.timestamps)
    _, last = _round(net, listener)
    moment, packets = Moment.of(net.client), Recording(net.client)
    attempt, _ = _round(net, listener, last + case.ahead)
    side = "ahead" if case.ahead > 0 else "behind"
    what = f"timestamps {case.timestamps}, ISN {side}, {case.why}"
    (*_, row) = packets.handshakes()
    story.expect(f"{what}: SYNs, by trace", case.syns, row.syn_sent)
    story.expect("  RSTs that the client sent", case.syns - 1, moment.since("OutRsts"))
    story.expect("  seconds until connected", AT_ONCE_S, attempt.seconds)


def _unclosed(story: Story, net: Pair, listener: socket.socket) -> None:
    """The client closes and comes back, and the server's program has not noticed."""
    net.client.set_sysctl(TIMESTAMPS, 1)
    target = Target(net.server_address, options=(SHARE,), bind=("0.0.0.0", CLIENT_PORT))  # noqa: S104  (in a namespace)
    (first,) = connect(net.client, target)
    guest, _ = net.server.run(listener.accept)
    with guest:
        close_all([first])
        until(lambda: states(net.client).get("FIN_WAIT2", 0) == 1, "the client's FIN to be acknowledged")
        moment, packets = Moment.of(net.client), Recording(net.client)
        (again,) = connect(net.client, target, timeout_s=3.0)
        (*_, row) = packets.handshakes()
        story.expect("a server that has not closed its side: SYNs, by trace", 2, row.syn_sent)
        story.expect("  RSTs that the client sent", 1, moment.since("OutRsts"))
        story.expect("  seconds until connected", AT_ONCE_S, again.seconds)
        close_all([again])


def _round(net: Pair, listener: socket.socket, first: int | None = None) -> tuple[Attempt, int]:
    """One connection from the fixed port, closed by the server first; and the client's next number."""
    target = Target(net.server_address, options=(SHARE,), bind=("0.0.0.0", CLIENT_PORT), first=first)  # noqa: S104  (in a namespace)
    (attempt,) = connect(net.client, target, timeout_s=3.0)
    last = next_to_send(attempt.socket)
    if attempt.connected:
        guest, _ = net.server.run(listener.accept)
        guest.close()
        until(lambda: states(net.client).get("CLOSE_WAIT", 0) == 1, "the server's FIN")
    close_all([attempt])
    until(lambda: not _open(net), "the connection to close")
    return attempt, last


def _open(net: Pair) -> bool:
    return any(states(net.client).get(state, 0) for state in ("LAST_ACK", "CLOSE_WAIT", "FIN_WAIT1", "FIN_WAIT2"))


EXPERIMENT = Experiment(
    name="reopened-time-wait",
    title="A server's TIME_WAIT does not stop its clients",
    claim="A new SYN from the same address and port reopens a connection in TIME_WAIT at once, with or without "
    "timestamps (RFC 6191, RFC 9293), whatever tcp_tw_reuse is on the server; one that could be an old copy is "
    "answered with an ACK, and taken when it comes again some milliseconds later.",
    run=run,
)
