"""TCP_DEFER_ACCEPT keeps a connection half open until its client speaks, which breaks banner protocols."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, states
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import close_all, connect, listen
from halfopen.lab.waiting import stopwatch, until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

SECONDS = 2
#: Two seconds become two periods of the SYN-ACK timer, 1 s and 2 s.
PERIODS_S = 3


def run(story: Story) -> None:
    """A silent client, a client that speaks, and a banner protocol; then without the option."""
    net = pair(story.network)
    option = (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SECONDS)
    listener = listen(net.server, net.server_address, 8, options=(option,))
    story.say(f"A listener has TCP_DEFER_ACCEPT = {SECONDS}, and a client connects and waits for the server's banner.")
    story.expect("seconds that getsockopt() makes of it", PERIODS_S,
                 listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT))  # fmt: skip
    moment = Moment.of(net.server)
    elapsed = stopwatch()
    silent = connect(net.client, net.server_address)
    story.expect("clients that are connected", 1, sum(a.connected for a in silent))
    until(lambda: moment.since("TCPDeferAcceptDrop") > 0, "the final ACK to be put off")
    story.expect("TCPDeferAcceptDrop: ACKs without data that were ignored", 1, moment.since("TCPDeferAcceptDrop"))
    story.expect("half-open requests on the server", 1, states(net.server).get("SYN_RECV", 0))
    story.say("A second client sends its request at once:")
    speaking = connect(net.client, net.server_address)
    speaking[0].socket.sendall(b"GET")
    accepted, _ = net.server.run(listener.accept)
    story.expect("bytes that are there when it is accepted", 3, len(accepted.recv(16)))
    accepted.close()
    accepted, _ = net.server.run(listener.accept)
    story.say("The silent one gets its banner only when the kernel has given up waiting:")
    story.expect("seconds until accept() returned it", Between(PERIODS_S - 0.2, PERIODS_S + 1.5), elapsed())
    story.expect("SYN-ACKs that this took again", 1, moment.since("TCPSynRetrans"))
    accepted.close()
    close_all([*silent, *speaking])
    listener.close()

    story.remedy("Do not set TCP_DEFER_ACCEPT where the server speaks first: SMTP, SSH, MySQL, FTP.")
    _without(story, net)


def _without(story: Story, net: Pair) -> None:
    listener = listen(net.server, net.server_address, 8)
    elapsed = stopwatch()
    silent = connect(net.client, net.server_address)
    accepted, _ = net.server.run(listener.accept)
    story.expect("seconds until accept() returned the silent client", Between(0, 0.5), elapsed())
    accepted.close()
    close_all(silent)
    listener.close()


EXPERIMENT = Experiment(
    name="defer-accept",
    title="TCP_DEFER_ACCEPT makes a client that waits for a banner wait",
    claim="With TCP_DEFER_ACCEPT a client that does not speak is ESTABLISHED while the server keeps it in SYN-RECEIVED "
    "until the periods are over and a SYN-ACK is sent once more.",
    run=run,
    proves=("HO112",),
)
