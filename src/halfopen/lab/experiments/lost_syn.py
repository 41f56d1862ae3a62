"""A lost SYN costs a second, two cost two or three, and all of them a time that the kernel's version decides."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.knowledge.syn_retries import LATE_SHARE, gives_up_after_s, syn_times_s
from halfopen.lab.experiment import Experiment
from halfopen.lab.story import Between
from halfopen.lab.tcp_info import TcpInfo
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, Attempt, Target, close_all, connect, listen

if TYPE_CHECKING:
    from halfopen.lab.namespace import Task
    from halfopen.lab.story import Story

RETRIES = "net.ipv4.tcp_syn_retries"
LINEAR = "net.ipv4.tcp_syn_linear_timeouts"
SHORT = 2
#: What waking up and scheduling may add on a busy machine.
SLACK_S = 0.3


@dataclass(frozen=True, slots=True)
class Case:
    """How many SYNs the link loses, by the port they are for."""

    port: int
    fault: str
    lost: int


CASES = (
    Case(PORT, f"drop syn first=1 port={PORT}", 1),
    Case(PORT + 1, f"drop syn first=2 port={PORT + 1}", 2),
    Case(PORT + 2, f"drop syn_ack first=1 port={PORT + 2}", 1),
)
DEAD = PORT + 3


def run(story: Story) -> None:
    """Lose one SYN, two, a SYN-ACK, and all; then give up earlier."""
    net = pair(story.network, relayed=True)
    linear = int(net.client.sysctl(LINEAR)) if net.client.has_sysctl(LINEAR) else 0
    story.say(
        f"The link loses chosen packets. This kernel sends the first {linear} SYNs again after one second each, "
        f"then doubles the time ({LINEAR} = {linear})."
        if linear
        else "The link loses chosen packets. This kernel doubles the time after every SYN."
    )
    net.relay.set_faults([*(case.fault for case in CASES), f"drop syn port={DEAD}"])
    listeners = [listen(net.server, net.server_address, 8, port=case.port) for case in CASES]
    dead = _give_up(net, linear)
    times = syn_times_s(6, linear)
    tasks = [net.client.start(_one, net, case.port) for case in CASES]
    for case, task in zip(CASES, tasks, strict=True):
        attempt = task.result()
        what = "SYN-ACK" if "syn_ack" in case.fault else "SYN"
        story.expect(
            f"first {case.lost} {what} lost: seconds until connected", _about(times[case.lost]), attempt.seconds
        )
        story.expect("  SYNs sent again, by TCP_INFO", case.lost, TcpInfo.of(attempt.socket).total_retrans)
        close_all([attempt])
    _tell_given_up(story, dead, linear)
    for listener in listeners:
        listener.close()

    story.remedy(
        f"A client that would rather know earlier sets TCP_SYNCNT on its socket, or {RETRIES} for the whole "
        "namespace; 1 for about three seconds. The loss itself is on the way or in a full queue at the other end, and "
        "no setting here mends it."
    )
    net.client.set_sysctl(RETRIES, 1)
    (attempt,) = connect(net.client, Target(net.server_address, DEAD), timeout_s=30)
    story.expect("error", "ETIMEDOUT", attempt.error)
    story.expect("seconds until it is told", _about(gives_up_after_s(1, linear)), attempt.seconds)
    close_all([attempt])


def _one(net: Pair, port: int) -> Attempt:
    return connect(net.client, Target(net.server_address, port), timeout_s=10)[0]


def _give_up(net: Pair, linear: int) -> Task[Attempt]:
    """Begin a connect that nothing answers, with few retries."""
    count = (socket.IPPROTO_TCP, socket.TCP_SYNCNT, SHORT)
    wait_s = 2 * gives_up_after_s(SHORT, linear)
    target = Target(net.server_address, DEAD, (count,))
    return net.client.start(lambda: connect(net.client, target, timeout_s=wait_s)[0])


def _tell_given_up(story: Story, dead: Task[Attempt], linear: int) -> None:
    story.say(f"Every SYN lost, with TCP_SYNCNT = {SHORT}:")
    attempt = dead.result()
    story.expect("error", "ETIMEDOUT", attempt.error)
    story.expect("seconds until it is told", _about(gives_up_after_s(SHORT, linear)), attempt.seconds)
    report = story.network.links[0].relay.report() if story.network.links[0].relay else {}
    sent = dict(report["faults"])[f"drop syn port={DEAD}"]
    story.expect("SYNs that were sent", len(syn_times_s(SHORT, linear)), sent)
    close_all([attempt])


def _about(seconds: float) -> Between:
    return Between(seconds, round(seconds * (1 + LATE_SHARE) + SLACK_S, 2))


EXPERIMENT = Experiment(
    name="lost-syn",
    title="One lost SYN costs a second: when SYNs are sent again, and when connect() gives up",
    claim="A connect that takes 1, 2 or 3 seconds has lost SYNs or SYN-ACKs; how long it takes to fail follows from "
    "tcp_syn_retries and, since Linux 6.5, tcp_syn_linear_timeouts together.",
    run=run,
    proves=("HO210", "HO306", "HO307"),
)
