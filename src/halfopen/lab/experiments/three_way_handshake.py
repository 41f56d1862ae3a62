"""The handshake and the close, state by state on both sides, slowed down by a long link until they can be watched."""

from __future__ import annotations

import socket
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab.experiment import Experiment
from halfopen.lab.recording import Recording
from halfopen.lab.sequence import next_to_receive, next_to_send
from halfopen.lab.story import Between
from halfopen.lab.tcp_info import TcpInfo
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, Attempt, Target, connect, listen
from halfopen.lab.waiting import NeverHappenedError, stopwatch, until
from halfopen.render.ladder import option_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.lab.namespace import Namespace
    from halfopen.lab.story import Story
    from halfopen.model.handshake import Handshake, SideOptions

#: One way, for each time that it is tried, as a machine may be too busy to be watched. A round trip of the first stays
#: below the second after which a SYN is sent again; on the longer way that happens, and changes no state.
LATE_MS = (400, 400, 1500, 1500)
FIRST, SECOND, OPEN = 41001, 41002, 41003
#: TCP_TIMEWAIT_LEN, include/net/tcp.h, and by how much we may notice its begin late.
TIME_WAIT_MS, NOTICED_LATE_MS = 60_000, 3_000
#: All states of a connection's begin or end are over by then.
WATCHED_S = 30.0

HANDSHAKE = (
    ("the SYN is under way", "SYN_SENT, none"),
    ("the SYN-ACK is under way", "SYN_SENT, SYN_RECV"),
    ("the ACK is under way", "ESTABLISHED, SYN_RECV"),
    ("the ACK has arrived", "ESTABLISHED, ESTABLISHED"),
)
CLOSE = (
    ("the client's FIN is under way", "FIN_WAIT1, ESTABLISHED"),
    ("the ACK of it is under way", "FIN_WAIT1, CLOSE_WAIT"),
    ("the server's application has not closed yet", "FIN_WAIT2, CLOSE_WAIT"),
)
LAST = (
    ("the server's FIN is under way", "FIN_WAIT2, LAST_ACK"),
    ("the last ACK is under way", "TIME_WAIT, LAST_ACK"),
    ("who closed first keeps TIME_WAIT", "TIME_WAIT, none"),
)


class _TooBusyError(NeverHappenedError):
    """A state may have passed between two looks."""


@dataclass(frozen=True, slots=True)
class _FarPair(Pair):
    """Both ends of a long link.

    Attributes:
        late_ms: how long a packet takes from one to the other.
    """

    late_ms: int

    @property
    def round_trip_ms(self) -> Between:
        """At least both ways; at most half a way more, on the first links less than until another SYN."""
        return Between(2 * self.late_ms, 5 * self.late_ms // 2 - 1)


def run(story: Story) -> None:
    """Watch a connection's life; where the machine was too busy to see all of it, another one's."""
    for late_ms in LATE_MS[:-1]:
        lines, checks = len(story.lines), len(story.before)
        try:
            return _watch(story, late_ms)
        except _TooBusyError:
            del story.lines[lines:], story.before[checks:]
    return _watch(story, LATE_MS[-1])


def _watch(story: Story, late_ms: int) -> None:
    """Open and close in order; then both at once."""
    near = pair(story.network, relayed=True)
    net = _FarPair(near.client, near.server, near.link, late_ms)
    net.relay.set_links(f"delay={late_ms}ms", f"delay={late_ms}ms")
    story.say(
        f"Every packet takes {late_ms} ms from one side to the other. The client connects; the states are those of the "
        "client and of the server."
    )
    packets = Recording(net.client)
    with listen(net.server, net.server_address, 8) as listener:
        client = _begin(net, FIRST)
        _tell(story, HANDSHAKE, _history(net, FIRST))
        server, _ = net.server.run(listener.accept)
        numbers = _agreement(story, client.socket, server)
        story.pitfall()
        _close(story, net, client.socket, server)
        _simultaneous_close(story, net, listener)
    _simultaneous_open(story, net)
    _tracked(story, net, packets.handshakes(), numbers)


def _agreement(story: Story, client: socket.socket, server: socket.socket) -> tuple[int, int]:
    """Gives the numbers of the first bytes of both sides."""
    story.say("What the two have agreed on, asked of both sockets before any data is sent:")
    sent = next_to_send(client), next_to_send(server)
    story.expect("the client's ISN + 1, as the server expects it", sent[0], next_to_receive(server))
    story.expect("the server's ISN + 1, as the client expects it", sent[1], next_to_receive(client))
    ours, theirs = TcpInfo.of(client), TcpInfo.of(server)
    for name, both in (
        ("timestamps", ours.timestamps and theirs.timestamps),
        ("SACK", ours.sack and theirs.sack),
        ("window scaling", ours.window_scale and theirs.window_scale),
    ):
        story.expect(f"{name} in force on both sides", "yes", "yes" if both else "no")
    segments = f"{ours.send_mss} and {theirs.send_mss}"
    story.expect("bytes of data in a segment: MTU 1500 - 20 - 20 - 12", "1448 and 1448", segments)
    return sent


def _close(story: Story, net: _FarPair, client: socket.socket, server: socket.socket) -> None:
    story.say("The client closes; the server's application does so when it has seen that.")
    client.shutdown(socket.SHUT_WR)
    _tell(story, CLOSE, _history(net, FIRST, "FIN_WAIT2, CLOSE_WAIT"))
    server.close()
    _tell(story, LAST, _history(net, FIRST, "TIME_WAIT, none"))
    elapsed = stopwatch()
    (row,) = (row for row in net.client.run(_core.tcp_sockets, ["TIME_WAIT"]) if row["local_port"] == FIRST)
    whole = Between(TIME_WAIT_MS - NOTICED_LATE_MS - net.late_ms, TIME_WAIT_MS + 500)
    story.expect("milliseconds of TIME_WAIT, by its timer", whole, round(row["expires_ms"] + elapsed() * 1000))
    client.close()


def _simultaneous_close(story: Story, net: _FarPair, listener: socket.socket) -> None:
    story.say("A second connection is closed by both sides before either has heard of the other's FIN.")
    client = _begin(net, SECOND)
    _history(net, SECOND)
    server, _ = net.server.run(listener.accept)
    for end in (client.socket, server):
        end.shutdown(socket.SHUT_WR)
    seen = _history(net, SECOND, "TIME_WAIT, TIME_WAIT")
    _tell_sides(story, "FIN_WAIT1, CLOSING, TIME_WAIT", seen)
    client.close()
    server.close()


def _simultaneous_open(story: Story, net: _FarPair) -> None:
    story.say("Nobody listens. Two sockets connect to each other's port, and their SYNs cross on the way.")
    there = Target(net.client_address, OPEN, bind=(net.server_address, OPEN))
    ends = _begin(net, OPEN, OPEN), connect(net.server, there, until=lambda _: True)[0]
    seen = _history(net, OPEN)
    _tell_sides(story, "SYN_SENT, SYN_RECV, ESTABLISHED", seen)
    for end in ends:
        end.close()


def _tracked(story: Story, net: _FarPair, rows: list[Handshake], numbers: tuple[int, int]) -> None:
    story.say("What `halfopen trace` makes of the packets that the client saw:")
    first, second, crossed = rows
    for name, row in (("the first", first), ("the second", second), ("the crossed one", crossed)):
        story.expect(f"{name}: outcome", "established", row.outcome)
        took_ms = None if row.handshake_us is None else round(row.handshake_us / 1000)
        story.expect("  milliseconds from the SYN to the ACK: a round trip", net.round_trip_ms, took_ms)
    story.expect("ISNs of the first, plus 1", _sum(numbers), _sum((first.isn_client, first.isn_server), 1))
    for side, options in (("client", first.client_options), ("server", first.server_options)):
        offered = ", ".join(option_words(asdict(options))) if options else None
        story.expect(f"options of the {side}", f"mss 1460, wscale {_scale(options)}, sack, ts", offered)
    story.expect("TIME_WAIT of the first, of the second", "client, both", f"{first.time_wait}, {second.time_wait}")
    simultaneous = ", ".join("yes" if row.simultaneous else "no" for row in rows)
    story.expect("both sides sent a SYN: the first, the second, the crossed one", "no, no, yes", simultaneous)


def _sum(numbers: tuple[int | None, int | None], more: int = 0) -> str:
    return " and ".join("unknown" if number is None else str((number + more) % 2**32) for number in numbers)


def _scale(options: SideOptions | None) -> int | None:
    """What the kernel makes of its buffers' sizes: another number on another machine."""
    return options.window_scale if options else None


def _begin(net: Pair, port: int, to: int = PORT) -> Attempt:
    """A connect from this port that is under way."""
    target = Target(net.server_address, to, bind=(net.client_address, port))
    return connect(net.client, target, until=lambda _: True)[0]


def _history(net: _FarPair, port: int, last: str = "ESTABLISHED, ESTABLISHED") -> list[str]:
    """Every pair of states that the connection from this port goes through until ``last``.

    Raises:
        _TooBusyError: two looks took so long that a state may have passed unseen.
    """
    seen: list[str] = []
    elapsed = stopwatch()
    looked_s = elapsed()

    def look() -> bool:
        nonlocal looked_s
        before_s, looked_s = looked_s, elapsed()
        now = f"{_state(net.client, port)}, {_state(net.server, port)}"
        # From the begin of a look to the end of the next: whatever lasts longer is wholly within one of them.
        took_ms = round((elapsed() - before_s) * 1000)
        if took_ms >= net.late_ms:
            raise _TooBusyError(f"this machine is too busy to watch the states: two looks took {took_ms} ms")
        if now not in seen[-1:]:
            seen.append(now)
        return now == last

    until(look, last, WATCHED_S)
    return seen


def _state(host: Namespace, port: int) -> str:
    rows = host.run(_core.tcp_sockets)
    return next((row["state"] for row in rows if port in {row["local_port"], row["remote_port"]}), "none")


def _tell(story: Story, steps: Sequence[tuple[str, str]], seen: Sequence[str]) -> None:
    for step, pair_seen in zip_longest(steps, seen):
        what, expected = step or ("one more state, which nobody expected", None)
        story.expect(what, expected, pair_seen)


def _tell_sides(story: Story, expected: str, seen: Sequence[str]) -> None:
    for side, name in enumerate(("client", "server")):
        story.expect(f"states of the {name}", expected, ", ".join(dict.fromkeys(now.split(", ")[side] for now in seen)))


EXPERIMENT = Experiment(
    name="three-way-handshake",
    title="The handshake and the close, state by state",
    claim="The client is connected half a round trip before the server is; who closes first stays in TIME_WAIT for "
    "60 s; when both open or close at once, both go through SYN_RECV, or through CLOSING into TIME_WAIT.",
    run=run,
)
