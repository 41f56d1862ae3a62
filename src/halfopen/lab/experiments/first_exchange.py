"""TCP_QUICKACK and TCP_NODELAY at the handshake: the one can delay it, the other does nothing."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.experiment import Experiment
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
    story.remedy("Leave TCP_QUICKACK alone before connect(); or send the request at once, which carries the ACK.")
    at_once = Between(0, WAKING_MS)
    _judge(story, net, "with TCP_QUICKACK off, and a request at once", at_once, NO_QUICKACK, send=b"GET")


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


EXPERIMENT = Experiment(
    name="first-exchange",
    title="TCP_QUICKACK and TCP_NODELAY: what they change at the handshake",
    claim="TCP_NODELAY has no effect on the handshake; TCP_QUICKACK turned off before connect() delays the final ACK, "
    "and with it accept(), by up to 200 ms.",
    run=run,
)
