"""TCP_DEFER_ACCEPT keeps a connection half open until its client speaks, which breaks banner protocols."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, listener_row, states
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, Attempt, Option, Target, close_all, connect, listen
from halfopen.lab.waiting import stopwatch, until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

SECONDS = 2
#: Two seconds become two periods of the SYN-ACK timer, 1 s and 2 s.
PERIODS_S = 3
OPTION: Option = (socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, SECONDS)
LOOKED_AT_S = 60
BANNER = b"220 hello\r\n"
BACKLOG, IDLE = 8, 12
PATIENCE_S = 10.0


def run(story: Story) -> None:
    """A client that waits for a banner, one that speaks, and many that are idle; then the same without the option."""
    net = pair(story.network)
    story.say(
        f"A listener has TCP_DEFER_ACCEPT = {SECONDS}. Its server speaks first, as for SMTP; a client connects and "
        "waits for the banner."
    )
    if story.look is not None:
        _stand(story, net)
    with listen(net.server, net.server_address, BACKLOG, options=(OPTION,)) as listener:
        story.expect("seconds that getsockopt() makes of it", PERIODS_S, listener.getsockopt(*OPTION[:2]))
        _banner(story, net, listener)
        _idle(story, net)

    story.remedy(
        "Do not set TCP_DEFER_ACCEPT where the server speaks first (SMTP, SSH, MySQL, FTP), or idle clients come."
    )
    _without(story, net, Target(net.server_address, PORT + 1))


def _stand(story: Story, net: Pair) -> None:
    """A connection that is held for longer, for those who look around."""
    option = (*OPTION[:2], LOOKED_AT_S)
    with listen(net.server, net.server_address, BACKLOG, options=(option,)):
        story.say(f"Here it is {LOOKED_AT_S}: the client is held for a minute.")
        (silent,) = connect(net.client, net.server_address)
        held = until(lambda: states(net.server).get("SYN_RECV", 0), "the request to be there")
        story.expect("clients that are connected", 1, int(silent.connected))
        story.expect("half-open requests on the server", 1, held)
        story.pitfall()


def _without(story: Story, net: Pair, target: Target) -> None:
    with listen(net.server, net.server_address, 2 * BACKLOG, port=target.port) as listener:
        moment, elapsed = Moment.of(net.server), stopwatch()
        silent = connect(net.client, target)
        _greet(net, listener)
        story.expect("bytes of the banner", len(BANNER), _heard(silent[0]))
        story.expect("  seconds until they came", Between(0, 0.5), elapsed())
        doctor = Examination.begin(net.server)
        idle = connect(net.client, target, IDLE)
        until(lambda: listener_row(net.server, target.port)["accept_queue"] == IDLE, "the idle clients to be accepted")
        story.expect(f"{IDLE} idle clients: half-open requests", 0, listener_row(net.server, target.port)["syn_queue"])
        story.expect("  TCPDeferAcceptDrop", 0, moment.since("TCPDeferAcceptDrop"))
        doctor.expect(story, "HO112", found=False)
        close_all([*silent, *idle])


def _banner(story: Story, net: Pair, listener: socket.socket) -> None:
    moment, elapsed = Moment.of(net.server), stopwatch()
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
    story.say("The first one gets its banner only when the kernel has given up waiting:")
    _greet(net, listener)
    story.expect("bytes of the banner", len(BANNER), _heard(silent[0]))
    story.expect("  seconds until they came", Between(PERIODS_S - 0.2, PERIODS_S + 1.5), elapsed())
    story.expect("  SYN-ACKs that this took again", 1, moment.since("TCPSynRetrans"))
    close_all([*silent, *speaking])


def _idle(story: Story, net: Pair) -> None:
    story.say(f"{IDLE} clients connect and wait, as connection pools do. The backlog is {BACKLOG}.")
    doctor, moment = Examination.begin(net.server), Moment.of(net.server)
    idle = connect(net.client, net.server_address, IDLE)
    past = IDLE - BACKLOG - 1
    until(lambda: moment.since("SyncookiesRecv") == past, "the last of them to come back with a cookie")
    story.expect(
        "half-open requests: the SYN queue is full of them", BACKLOG + 1, states(net.server).get("SYN_RECV", 0)
    )
    story.expect("SYN cookies for the others", past, moment.since("SyncookiesSent"))
    story.expect("  which TCP_DEFER_ACCEPT does not hold: in the accept queue", past,
                 listener_row(net.server)["accept_queue"])  # fmt: skip
    doctor.expect(story, "HO112", found=True)
    close_all(idle)


def _greet(net: Pair, listener: socket.socket) -> None:
    """Accept one client, say the banner, and close."""
    guest, _ = net.server.run(listener.accept)
    with guest:
        guest.sendall(BANNER)


def _heard(client: Attempt) -> int:
    client.socket.settimeout(PATIENCE_S)
    return len(client.socket.recv(64))


EXPERIMENT = Experiment(
    name="defer-accept",
    title="TCP_DEFER_ACCEPT makes a client that waits for a banner wait",
    claim="With TCP_DEFER_ACCEPT a client that does not speak is ESTABLISHED while the server keeps it in SYN-RECEIVED "
    "until the periods are over and a SYN-ACK is sent once more; many such fill the SYN queue, and SYN cookies bypass "
    "the option.",
    run=run,
    proves=("HO112",),
)
