"""TCP_QUICKACK and TCP_NODELAY at the handshake: the one can delay it, the other does nothing."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.experiment import Experiment
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Option, Target, close_all, connect, listen
from halfopen.lab.waiting import stopwatch

if TYPE_CHECKING:
    from halfopen.lab.story import Story

NO_QUICKACK: Option = (socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
NODELAY: Option = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
#: The delayed ACK of Linux is at most 200 ms (TCP_DELACK_MAX).
DELAYED_MS = Between(30, 400)
AT_ONCE_MS = Between(0, 25)


def run(story: Story) -> None:
    """How long the server's accept() takes, by the client's options."""
    net = pair(story.network)
    story.say("How long accept() takes on the server, from the client's connect():")
    story.expect("an ordinary client: ms", AT_ONCE_MS, _accepted_after_ms(net))
    story.expect("with TCP_NODELAY: ms", AT_ONCE_MS, _accepted_after_ms(net, NODELAY))
    story.say("A client that turns TCP_QUICKACK off before connect() keeps its final ACK back, for data to go with it:")
    story.expect("with TCP_QUICKACK off: ms", DELAYED_MS, _accepted_after_ms(net, NO_QUICKACK))
    story.expect("and TCP_NODELAY does not change that: ms", DELAYED_MS, _accepted_after_ms(net, NO_QUICKACK, NODELAY))
    story.remedy("Leave TCP_QUICKACK alone before connect(); or send the request at once, which carries the ACK.")
    story.expect("with TCP_QUICKACK off, and a request at once: ms", AT_ONCE_MS,
                 _accepted_after_ms(net, NO_QUICKACK, send=b"GET"))  # fmt: skip


def _accepted_after_ms(net: Pair, *options: Option, send: bytes = b"") -> float:
    listener = listen(net.server, net.server_address, 8)
    elapsed = stopwatch()
    attempts = connect(net.client, Target(net.server_address, options=options))
    if send:
        attempts[0].socket.sendall(send)
    accepted, _ = net.server.run(listener.accept)
    took_ms = elapsed() * 1000
    accepted.close()
    close_all(attempts)
    listener.close()
    return took_ms


EXPERIMENT = Experiment(
    name="first-exchange",
    title="TCP_QUICKACK and TCP_NODELAY: what they change at the handshake",
    claim="TCP_NODELAY has no effect on the handshake; TCP_QUICKACK turned off before connect() delays the final ACK, "
    "and with it accept(), by up to 200 ms.",
    run=run,
)
