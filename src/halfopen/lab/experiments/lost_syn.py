"""A lost SYN costs a second, two cost two or three, and all of them a time that the kernel's version decides."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halfopen import _core
from halfopen.knowledge.syn_retries import LATE_SHARE, gives_up_after_s, syn_times_s
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.recording import Recording
from halfopen.lab.story import AtLeast, Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, Attempt, Target, close_all, connect, listen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.lab.namespace import Task
    from halfopen.lab.story import Story
    from halfopen.model.handshake import Handshake

RETRIES = "net.ipv4.tcp_syn_retries"
LINEAR = "net.ipv4.tcp_syn_linear_timeouts"
#: How many retries, and what the whole default takes is told, not waited for: two minutes.
COUNTS, DEFAULT = (1, 2, 3), 6
#: What waking up and scheduling may add on a busy machine: less than the second that one more lost SYN costs.
SLACK_S = 0.8


@dataclass(frozen=True, slots=True)
class Case:
    """How many packets the link loses, by the port they are for."""

    port: int
    fault: str
    lost: int


CASES = (
    Case(PORT, f"drop syn first=1 port={PORT}", 1),
    Case(PORT + 1, f"drop syn first=2 port={PORT + 1}", 2),
    Case(PORT + 2, f"drop syn_ack first=1 port={PORT + 2}", 1),
)
DEAD = PORT + 3


@dataclass(frozen=True, slots=True)
class Silence:
    """Connects that nothing answers, with few retries."""

    linear: int
    packets: Recording
    tasks: tuple[Task[Attempt], ...]
    """One for each of ``COUNTS``."""


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
    doctor = Examination.begin(net.client)
    silences = [_silence(net, linear)]
    if linear:
        silences.append(_silence(_doubling(story), 0))
    _tell_lost(story, net, syn_times_s(DEFAULT, linear))
    for code in ("HO306", "HO307"):
        doctor.expect(story, code, found=True)
    patient = connect(net.client, Target(net.server_address, DEAD), until=lambda _: True)
    story.pitfall()
    close_all(patient)
    for silence in silences:
        _tell_given_up(story, silence)
    story.say(
        f"By the same rule (computed, not waited for) the default, {RETRIES} = {DEFAULT}, takes "
        f"{gives_up_after_s(DEFAULT, linear):g} s and a little more: long timers of the kernel are up to 4 % late."
    )
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
    Examination.begin(net.client).expect(story, "HO210", found=True)
    _mended(story, net)


def _mended(story: Story, net: Pair) -> None:
    story.say(f"With {RETRIES} at {DEFAULT} again, on a way that loses nothing:")
    net.client.set_sysctl(RETRIES, DEFAULT)
    net.relay.set_faults([])
    doctor = Examination.begin(net.client)
    with listen(net.server, net.server_address, 8, port=DEAD):
        (attempt,) = connect(net.client, Target(net.server_address, DEAD))
        story.expect("seconds until connected", Between(0, SLACK_S), attempt.seconds)
        for code in EXPERIMENT.proves:
            doctor.expect(story, code, found=False)
        close_all([attempt])


def _tell_lost(story: Story, net: Pair, times: tuple[float, ...]) -> None:
    packets, sent = (Recording(host, ports=[case.port for case in CASES]) for host in (net.client, net.server))
    tasks = [net.client.start(_one, net, case.port) for case in CASES]
    probes = [task.result() for task in tasks]
    rows = {row.server_port: row for row in packets.handshakes()}
    sent_rows = {row.server_port: row for row in sent.handshakes()}
    for case, probed in zip(CASES, probes, strict=True):
        what = "SYN-ACK" if "syn_ack" in case.fault else "SYN"
        seconds = probed["connect_ns"] / 1e9
        lost = f"first {what}" if case.lost == 1 else f"first {case.lost} {what}s"
        story.expect(f"the {lost} lost: seconds until connected", _about(times[case.lost]), seconds)
        if what == "SYN-ACK":
            _tell_answers(story, probed, sent_rows[case.port])
            continue
        row, whole = rows[case.port], f"established, {case.lost + 1}"
        story.expect("  by probe: outcome, SYNs", whole, f"{probed['outcome']}, {probed['syn_sent']}")
        story.expect("  by trace: outcome, SYNs", whole, f"{row.outcome}, {row.syn_sent}")
        waited = None if row.retransmit_wait_us is None else row.retransmit_wait_us / 1e6
        story.expect("  by trace: seconds lost to it", _about(times[case.lost]), waited)


def _tell_answers(story: Story, probed: dict[str, Any], row: Handshake) -> None:
    """Both sides send again after a second, and who comes first is chance."""
    story.expect("  by probe: outcome", "established", probed["outcome"])
    story.expect("  by probe: SYNs, of which the server needs only the first", Between(1, 2), probed["syn_sent"])
    story.expect(
        "  by trace of the server: SYN-ACKs sent, for its own timer or for a SYN", AtLeast(2), row.syn_ack_sent
    )


def _one(net: Pair, port: int) -> dict[str, Any]:
    return _core.probe(net.server_address, port, timeout_s=10)


def _doubling(story: Story) -> Pair:
    """A client as on kernels before 6.5."""
    net = pair(story.network, relayed=True, suffix=" of old")
    net.client.set_sysctl(LINEAR, 0)
    net.relay.set_faults([f"drop syn port={DEAD}"])
    return net


def _silence(net: Pair, linear: int) -> Silence:
    packets = Recording(net.client, ports=[DEAD])
    tasks = tuple(net.client.start(_give_up, net, count, linear) for count in COUNTS)
    return Silence(linear, packets, tasks)


def _give_up(net: Pair, count: int, linear: int) -> Attempt:
    option = (socket.IPPROTO_TCP, socket.TCP_SYNCNT, count)
    target = Target(net.server_address, DEAD, (option,), bind=(net.client_address, FIRST + count))
    return connect(net.client, target, timeout_s=2 * gives_up_after_s(count, linear))[0]


#: The client's port is this and the number of its retries.
FIRST = 41000


def _tell_given_up(story: Story, silence: Silence) -> None:
    attempts = [task.result() for task in silence.tasks]
    story.say(f"Every SYN lost, with {LINEAR} = {silence.linear}:" if silence.linear else "Every SYN lost, with "
              "doubling times only, as before Linux 6.5:")  # fmt: skip
    rows = {row.client_port: row for row in silence.packets.handshakes()}
    for count, attempt in zip(COUNTS, attempts, strict=True):
        row, planned = rows[FIRST + count], syn_times_s(count, silence.linear)
        story.expect(f"TCP_SYNCNT = {count}: error", "ETIMEDOUT", attempt.error)
        story.expect("  seconds until it is told", _about(gives_up_after_s(count, silence.linear)), attempt.seconds)
        story.expect("  by trace: outcome, SYNs", f"unanswered, {len(planned)}", f"{row.outcome}, {row.syn_sent}")
        _tell_times(story, planned, silence.packets.times_s(row.number or 0))
    close_all(attempts)


def _tell_times(story: Story, planned: Sequence[float], sent: Sequence[float]) -> None:
    in_time = all(_about(want).holds(have) for want, have in zip(planned, sent, strict=False))
    words = ", ".join(f"{seconds:.1f}".removesuffix(".0") for seconds in sent)
    plan = ", ".join(f"{seconds:g}" for seconds in planned)
    story.expect(f"  SYNs due at {plan} s and sent at {words} s: in time", "yes", "yes" if in_time else "no")


def _about(seconds: float) -> Between:
    return Between(seconds, round(seconds * (1 + LATE_SHARE) + SLACK_S, 2))


EXPERIMENT = Experiment(
    name="lost-syn",
    title="One lost SYN costs a second: when SYNs are sent again, and when connect() gives up",
    claim="A connect that takes 1, 2 or 3 seconds has lost SYNs or SYN-ACKs; how long it takes to fail follows from "
    "tcp_syn_retries and, since Linux 6.5, tcp_syn_linear_timeouts together.",
    run=run,
    proves=("HO210", "HO306", "HO307"),
    hosts=hosts_of_pairs("", " of old"),
)
