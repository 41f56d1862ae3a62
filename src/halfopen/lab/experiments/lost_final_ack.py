"""The final ACK meets a full accept queue: the client believes that it is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, listener_row, states
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Attempt, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

ABORT = "net.ipv4.tcp_abort_on_overflow"
#: The ACK of the first client is under way for this long, so that the second client takes its place in the queue.
LATE_MS = 200


def run(story: Story) -> None:
    """Let a second client overtake the first one's ACK, without and with tcp_abort_on_overflow."""
    net = pair(story.network, relayed=True)
    story.say(
        "The listener's backlog is 0: one connection fits. The final ACK of a first client is held up on the way, a "
        "second client connects meanwhile, and when the late ACK arrives the queue is full."
    )
    listener = listen(net.server, net.server_address, 0)
    moment = Moment.of(net.server)
    late, early = _overtake(net)
    until(lambda: moment.since("ListenOverflows") > 0, "the late ACK to meet the full queue")
    story.expect("clients that believe they are connected", 2, sum(a.connected for a in (late, early)))
    story.expect("connections in the accept queue", 1, listener_row(net.server)["accept_queue"])
    story.expect("half-open requests on the server (SYN_RECV)", 1, states(net.server).get("SYN_RECV", 0))
    story.expect("ListenOverflows", 1, moment.since("ListenOverflows"))
    story.expect("ListenDrops", 1, moment.since("ListenDrops"))
    story.expect("drops that the listener itself counts: the ACK twice", 2, listener_row(net.server)["drops"])
    story.pitfall()
    until(lambda: moment.since("TCPSynRetrans") > 0, "the server to send its SYN-ACK again", 3.0)
    story.say("A second later the server's timer sends the SYN-ACK again, and the client's answer is dropped again.")
    until(lambda: moment.since("ListenOverflows") > 1, "the ACK of the repeated SYN-ACK to be dropped, too")
    story.expect("ListenOverflows by then", 2, moment.since("ListenOverflows"))
    net.server.run(listener.accept)[0].close()
    until(lambda: listener_row(net.server)["accept_queue"] == 1, "the late client to get its place", 8.0)
    story.expect("once accept() made room, the late client got in with the next SYN-ACK", 1,
                 listener_row(net.server)["accept_queue"])  # fmt: skip
    close_all([late, early])
    listener.close()

    story.say(f"The same with {ABORT} = 1, which some advise:")
    net.server.set_sysctl(ABORT, 1)
    listener = listen(net.server, net.server_address, 0)
    moment = Moment.of(net.server)
    late, early = _overtake(net)
    until(lambda: moment.since("EmbryonicRsts") > 0, "the RST")
    story.expect("EmbryonicRsts: the late client was reset", 1, moment.since("EmbryonicRsts"))
    story.expect("half-open requests on the server", 0, states(net.server).get("SYN_RECV", 0))
    Examination.begin(net.server).expect(story, "HO107", found=True)
    third = connect(net.client, net.server_address, timeout_s=0.5)
    story.expect("but a SYN that meets the full queue is still dropped in silence", "no answer", third[0].told)
    story.expect("ListenDrops: the reset ACK and that SYN", 2, moment.since("ListenDrops"))
    close_all([late, early, *third])
    listener.close()

    story.remedy(
        f"Leave {ABORT} at 0 and give the queue room: a backlog of 8 for these two clients. The reset only turns a "
        "connection that would have been served a little later into an error."
    )
    net.server.set_sysctl(ABORT, 0)
    listener = listen(net.server, net.server_address, 8)
    moment = Moment.of(net.server)
    late, early = _overtake(net)
    until(lambda: listener_row(net.server)["accept_queue"] == 2, "both clients to be in the queue")
    story.expect("connections in the accept queue", 2, listener_row(net.server)["accept_queue"])
    story.expect("ListenOverflows", 0, moment.since("ListenOverflows"))
    Examination.begin(net.server).expect(story, "HO107", found=False)
    close_all([late, early])
    listener.close()


def _overtake(net: Pair) -> tuple[Attempt, Attempt]:
    net.relay.set_faults([f"delay={LATE_MS}ms final_ack limit=1"])
    (late,) = connect(net.client, net.server_address)
    (early,) = connect(net.client, net.server_address)
    return late, early


EXPERIMENT = Experiment(
    name="lost-final-ack",
    title="A full queue drops the final ACK, and the client believes that it is connected",
    claim="When the ACK that completes a handshake meets a full accept queue it is dropped, the client is ESTABLISHED, "
    "and the server goes on sending SYN-ACKs; tcp_abort_on_overflow=1 resets that client, and no other.",
    run=run,
    proves=("HO107",),
)
