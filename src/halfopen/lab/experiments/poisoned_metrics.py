"""One handshake that lost a packet makes the kernel start the next connections with a long timer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.programs import run_program
from halfopen.lab.story import AtLeast, Between
from halfopen.lab.tcp_info import TcpInfo
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    import socket

    from halfopen.lab.story import Story

NO_SAVE = "net.ipv4.tcp_no_metrics_save"
LATE_MS = 800
LATE = f"delay={LATE_MS}ms syn_ack limit=1"
#: tcp_init_metrics(): the remembered round trip, and twice that again.
FACTOR = 3
#: The round trip of the FIN, which is a short one, counts for an eighth of the average (RFC 6298); half leaves room.
KEPT = 0.5
#: TCP_RTO_MIN is 200 ms; what a busy machine adds to a round trip is counted four times.
SHORT_MS, BUSY_MS = 200, 700


def run(story: Story) -> None:
    """Hold one SYN-ACK up, and look at the timer of the next connection; then forget, and do not remember again."""
    net = pair(story.network, relayed=True)
    listener = listen(net.server, net.server_address, 8)
    story.say("A client on a short and idle link connects to a server that it has never spoken to.")
    story.expect("milliseconds of its retransmission timer", Between(SHORT_MS, BUSY_MS), _visit(net, listener))
    _forget(net)
    story.say(
        f"The kernel forgets that. On the next connection one packet, the SYN-ACK, is held up for {LATE_MS} ms; it is "
        "closed without data."
    )
    net.relay.set_faults([LATE])
    _visit(net, listener)
    remembered = until(lambda: _remembered_ms(net), "the kernel to remember a round trip")
    story.expect("milliseconds of round trip that are remembered", AtLeast(LATE_MS * KEPT), remembered)
    Examination.begin(net.client).expect(story, "HO308", found=True)
    story.say("The next connection meets no delay at all:")
    story.expect("milliseconds of its retransmission timer", AtLeast(FACTOR * LATE_MS * KEPT), _visit(net, listener))

    story.remedy(
        f"Forget it: ip tcp_metrics delete ADDRESS. Where losses are frequent, {NO_SAVE} = 1 keeps the kernel from "
        "remembering round trips."
    )
    net.client.set_sysctl(NO_SAVE, 1)
    _forget(net)
    story.expect("milliseconds of the next connection's timer", Between(SHORT_MS, BUSY_MS), _visit(net, listener))
    net.relay.set_faults([LATE])
    _visit(net, listener)
    story.expect("round trip that is remembered after another late SYN-ACK", None, _remembered_ms(net))
    Examination.begin(net.client).expect(story, "HO308", found=False)
    listener.close()


def _visit(net: Pair, listener: socket.socket) -> float:
    """One connection that the client closes first; its retransmission timer once it was connected, in milliseconds."""
    (attempt,) = connect(net.client, net.server_address, timeout_s=5.0)
    timer_ms = TcpInfo.of(attempt.socket).rto_us / 1000
    guest, _ = net.server.run(listener.accept)
    close_all([attempt])
    guest.close()
    until(lambda: not net.client.run(_core.tcp_sockets, ["FIN_WAIT1", "FIN_WAIT2"]), "the connection to close")
    return timer_ms


def _remembered_ms(net: Pair) -> float | None:
    metrics, _ = net.client.run(_core.tcp_metrics)
    times = [metric["rtt_us"] for metric in metrics if metric["destination"] == net.server_address]
    return times[0] / 1000 if times and times[0] else None


def _forget(net: Pair) -> None:
    run_program(net.client, "ip", "tcp_metrics", "delete", net.server_address)


EXPERIMENT = Experiment(
    name="poisoned-metrics",
    title="One late packet, and the kernel starts the next connections with a long timer",
    claim="The round trip of a connection whose handshake was held up is remembered for its peer, and the next "
    "connection to it starts with three times that as its retransmission timer.",
    run=run,
    proves=("HO308",),
)
