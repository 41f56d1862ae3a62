"""Half-open requests that no ACK ends: the way back is broken, or the listener is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, listener_row, states
from halfopen.lab.programs import nft
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.story import AtLeast
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, Attempt, Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

BACKLOG, CLIENTS, STRANGERS = 64, 30, 12
#: SYNs a second: a burst would lose some on the way.
RATE = 100
#: A firewall beside the client that knows nothing of connections that others let out.
ONE_WAY = """table inet t {
    chain input { type filter hook input priority filter
        tcp sport 8000 tcp flags & (syn|ack) == syn|ack drop
    }
}"""


def run(story: Story) -> None:
    """Clients that the SYN-ACK does not reach; then a listener that is closed too early."""
    net = pair(story.network)
    listener = listen(net.server, net.server_address, BACKLOG)
    nft(net.client, ONE_WAY)
    story.say(f"{CLIENTS} clients connect. A firewall on their side drops the server's SYN-ACKs.")
    attempts = connect(net.client, net.server_address, CLIENTS, until=lambda _: _sent_again(net) == CLIENTS)
    story.expect("clients that are connected", 0, sum(attempt.connected for attempt in attempts))
    story.expect("half-open requests of the listener", CLIENTS, listener_row(net.server)["syn_queue"])
    story.expect("  of which the SYN-ACK was sent again", CLIENTS, _sent_again(net))
    doctor = Examination.begin(net.server)
    doctor.expect(story, "HO115", found=True)
    story.pitfall()
    close_all(attempts)

    other = pair(story.network, suffix="2")
    doctor2, closed = _closed(story, other)

    story.remedy(
        "Follow the SYN-ACK on its way back, and let it through. What a closed listener leaves goes by itself."
    )
    nft(net.client, "flush ruleset")
    again = _through(net)
    story.expect("clients that are connected", CLIENTS, sum(attempt.connected for attempt in again))
    until(lambda: states(net.server).get("SYN_RECV", 0) == 0, "the half-open requests to end", 90.0)
    doctor.expect(story, "HO115", found=False)
    until(lambda: states(other.server).get("SYN_RECV", 0) == 0, "the requests of the closed listener to end", 90.0)
    doctor2.expect(story, "HO114", found=False)
    story.expect("SYN-ACKs that were sent for them since the listener was closed", 0, closed.since("TCPSynRetrans"))
    close_all(again)
    listener.close()


def _sent_again(net: Pair) -> int:
    return int(listener_row(net.server)["syn_queue_retransmitted"])


def _through(net: Pair) -> list[Attempt]:
    return connect(net.client, Target(net.server_address, PORT), CLIENTS, timeout_s=5.0)


def _closed(story: Story, net: Pair) -> tuple[Examination, Moment]:
    """A listener that is closed while ``STRANGERS`` are in the middle of a handshake; the server then."""
    lead_answers_away(net)
    listener, moment = listen(net.server, net.server_address, BACKLOG), Moment.of(net.server)
    flood(net, STRANGERS, rate=RATE).wait()
    # What is left lasts until its SYN-ACK would be due again. That is four seconds then: a busy machine needs them.
    until(
        lambda: 0 < 2 * states(net.server).get("SYN_RECV", 0) <= moment.since("TCPSynRetrans"),
        "SYN-ACKs to be sent thrice",
    )
    listener.close()
    moment = Moment.of(net.server)
    story.say(
        f"On another server {STRANGERS} clients are in the middle of a handshake when the listener is closed, as in a "
        "restart. Their ACKs will meet nobody:"
    )
    left = states(net.server).get("SYN_RECV", 0)
    story.expect("half-open requests, of a listener that is gone", AtLeast(STRANGERS // 2), left)
    doctor = Examination.begin(net.server)
    doctor.expect(story, "HO114", found=True)
    return doctor, moment


EXPERIMENT = Experiment(
    name="half-open-left",
    title="Half-open requests that no ACK ends",
    claim="SYN-ACKs that do not come back leave requests whose SYN-ACK is sent again and again; closing a listener "
    "leaves its half-open requests behind until their next SYN-ACK would be due.",
    run=run,
    proves=("HO114", "HO115"),
    hosts=hosts_of_pairs("", "2"),
)
