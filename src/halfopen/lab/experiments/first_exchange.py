"""TCP_QUICKACK and TCP_NODELAY on the first exchange: the one can delay the handshake, the other hastens a request."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.recording import Recording
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Option, Target, close_all, connect, listen
from halfopen.lab.waiting import stopwatch

if TYPE_CHECKING:
    from halfopen.lab.story import Story

NO_QUICKACK: Option = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
NODELAY: Option = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
#: The delayed ACK of Linux is at most 200 ms (TCP_DELACK_MAX); its clock ticks every 1 to 10 ms.
DELAYED_MS = Between(150, 300)
AT_ONCE_MS = Between(0, 40)
#: One way of a long link. A request in two pieces waits for a round trip, or for that and a delayed ACK of 40 ms
#: (TCP_DELACK_MIN), or not at all.
LATE_MS, DELACK_MIN_MS = 75, 38
ROUND_TRIP_MS = 2 * LATE_MS
HEAD, BODY = b"POST / HTTP/1.1\r\n\r\n", b"body"
#: What waking two programs up may add on a busy machine.
WAKING_MS = 120


def run(story: Story) -> None:
    """How long the final ACK and the server's accept() take, by the client's options."""
    net = pair(story.network)
    story.say("How long the client keeps its final ACK back, and when accept() returns on the server:")
    _judge(story, net, "an ordinary client", AT_ONCE_MS)
    _judge(story, net, "with TCP_NODELAY", AT_ONCE_MS, NODELAY)
    story.say("A client that turns TCP_QUICKACK off before connect() keeps its final ACK back, for data to go with it:")
    _judge(story, net, "with TCP_QUICKACK off", DELAYED_MS, NO_QUICKACK)
    _judge(story, net, "and TCP_NODELAY does not change that", DELAYED_MS, NO_QUICKACK, NODELAY)
    far = pair(story.network, relayed=True, suffix=" from afar")
    far.relay.set_links(f"delay={LATE_MS}ms", f"delay={LATE_MS}ms")
    story.say(
        f"A request is written in two pieces, head and body, over a link with a round trip of {ROUND_TRIP_MS} ms. How "
        "long the second piece is kept back, for the ACK of the first (Nagle's algorithm):"
    )
    held = Between(ROUND_TRIP_MS, ROUND_TRIP_MS + 300)
    _in_two(story, far, "an ordinary client: ms", held)
    longer = Between(ROUND_TRIP_MS + DELACK_MIN_MS, ROUND_TRIP_MS + 400)
    _in_two(story, far, "  and the server's TCP_QUICKACK off: ms", longer, server=NO_QUICKACK)

    story.remedy(
        "Leave TCP_QUICKACK alone before connect(); or send the request at once, which carries the ACK. Write a "
        "request in one piece, or set TCP_NODELAY."
    )
    at_once = Between(0, WAKING_MS)
    _judge(story, net, "with TCP_QUICKACK off, and a request at once", at_once, NO_QUICKACK, send=b"GET")
    _in_two(story, far, "two pieces with TCP_NODELAY: ms that the second was kept back", at_once, NODELAY)
    _in_two(story, far, "  and the server's TCP_QUICKACK off: ms", at_once, NODELAY, server=NO_QUICKACK)


def _judge(story: Story, net: Pair, what: str, expected: Between, *options: Option, send: bytes = b"") -> None:
    packets = Recording(net.client)
    accepted_ms = _accepted_after_ms(net, *options, send=send)
    (row,) = packets.handshakes()
    held_ms = None if row.syn_ack_to_ack_us is None else row.syn_ack_to_ack_us / 1000
    story.expect(f"{what}: ms from the SYN-ACK to the ACK, by trace", expected, held_ms)
    story.expect("  ms until accept()", Between(expected.low, expected.high + WAKING_MS), accepted_ms)


def _accepted_after_ms(net: Pair, *options: Option, send: bytes = b"") -> float:
    with listen(net.server, net.server_address, 8) as listener:
        elapsed = stopwatch()
        attempts = connect(net.client, Target(net.server_address, options=options))
        if send:
            attempts[0].socket.sendall(send)
        accepted, _ = net.server.run(listener.accept)
        took_ms = elapsed() * 1000
        accepted.close()
        close_all(attempts)
    return took_ms


def _in_two(
    story: Story, net: Pair, what: str, expected: Between, *options: Option, server: Option | None = None
) -> None:
    """A request in two writes: how far apart the kernel sent them."""
    with listen(net.server, net.server_address, 8) as listener:
        packets = Recording(net.client)
        (attempt,) = connect(net.client, Target(net.server_address, options=options))
        accepted, _ = net.server.run(listener.accept)
        with accepted, attempt.socket as client:
            if server is not None:
                accepted.setsockopt(*server)
            for piece in (HEAD, BODY):
                client.send(piece)
            received = accepted.recv(len(HEAD), socket.MSG_WAITALL), accepted.recv(len(BODY), socket.MSG_WAITALL)
            assert received == (HEAD, BODY)
            story.pitfall()
        (row,) = packets.handshakes()
        first, second = packets.times_s(row.number or 0, "PSH-ACK")
        story.expect(what, expected, (second - first) * 1000)


EXPERIMENT = Experiment(
    name="first-exchange",
    title="TCP_QUICKACK and TCP_NODELAY: what they change on the first exchange",
    claim="TCP_NODELAY has no effect on the handshake, and saves a round trip where a request is written in pieces; "
    "TCP_QUICKACK turned off before connect() delays the final ACK, and with it accept(), by up to 200 ms.",
    run=run,
    hosts=hosts_of_pairs("", " from afar"),
)
