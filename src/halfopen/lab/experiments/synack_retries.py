"""How long a half-open request lives: tcp_synack_retries, unless the queue is more than half full."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.knowledge.syn_retries import LATE_SHARE, syn_ack_gives_up_after_s
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, states
from halfopen.lab.recording import Recording
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import listen
from halfopen.lab.waiting import stopwatch, until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

RETRIES = "net.ipv4.tcp_synack_retries"
COUNTS = (1, 2, 3)
DEFAULT = 5
#: Nine requests are more than half of a queue of ten, and five are not.
BACKLOG, MANY, HALF = 10, 9, 5
#: One timer of a second beyond the last retransmission, and the timer wheel's rounding.
SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class Life:
    """What became of half-open requests."""

    seconds: float
    """From the SYN to the end of the request; of many, until no more than half of the queue are left."""
    moment: Moment
    packets: Recording


def run(story: Story) -> None:
    """One SYN that nobody completes, with one retry, with two and with three; and a queue more than half full."""
    if story.look is not None:
        _stand(story)
    nets = [_net(story, count) for count in COUNTS]
    with ThreadPoolExecutor(len(COUNTS) + 1) as pool:
        single = [pool.submit(_live, net, 100, 1) for net in nets]
        many = pool.submit(_live, _net(story, DEFAULT, " of many"), BACKLOG, MANY, HALF)
        lives, pruned = [task.result() for task in single], many.result()
    story.say("A SYN arrives from an address that never answers the SYN-ACK.")
    for count, life in zip(COUNTS, lives, strict=True):
        _tell(story, count, life)
    story.say(
        f"By the same rule (computed, not waited for) the default, {RETRIES} = {DEFAULT}, keeps a request for "
        f"{syn_ack_gives_up_after_s(DEFAULT):g} s. But nine of them in a queue of {BACKLOG}, more than half, are "
        "pruned by the kernel itself:"
    )
    story.expect(f"seconds until no more than {HALF} of {MANY} are left", Between(3.0, 20.0), pruned.seconds)
    lowered = nets[0].server
    Examination.begin(lowered).expect(story, "HO219", found=True)
    story.remedy(f"Leave {RETRIES} at {DEFAULT}: in the queue that a flood fills the kernel shortens it by itself.")
    lowered.set_sysctl(RETRIES, DEFAULT)
    Examination.begin(lowered).expect(story, "HO219", found=False)


def _tell(story: Story, count: int, life: Life) -> None:
    story.expect(
        f"{RETRIES} = {count}: seconds until the request is gone", _about(syn_ack_gives_up_after_s(count)), life.seconds
    )
    story.expect("  SYN-ACKs sent again (TCPSynRetrans)", count, life.moment.since("TCPSynRetrans"))
    (row,) = life.packets.handshakes()
    story.expect("  by trace: outcome, SYN-ACKs", f"half_open, {count + 1}", f"{row.outcome}, {row.syn_ack_sent}")
    sent = ", ".join(f"{seconds:.0f}" for seconds in life.packets.times_s(row.number or 0, "SYN-ACK"))
    planned = ", ".join(f"{(1 << number) - 1}" for number in range(count + 1))
    story.expect("  SYN-ACKs at so many seconds", planned, sent)
    story.expect("  counter of requests that were given up", 0, life.moment.since("AttemptFails"))


def _stand(story: Story) -> None:
    """One request that lasts, for those who look around."""
    net = _net(story, DEFAULT, "")
    with listen(net.server, net.server_address, BACKLOG):
        story.say(
            f"A SYN has arrived from an address that never answers. With {RETRIES} = {DEFAULT}, the default, its "
            f"request is to live for {syn_ack_gives_up_after_s(DEFAULT):g} s from here on, by the rule that this "
            "experiment measures for fewer."
        )
        flood(net, 1).wait()
        requests = until(lambda: states(net.server).get("SYN_RECV", 0), "the request to be there")
        story.expect("half-open requests", 1, requests)
        story.pitfall()


def _net(story: Story, retries: int, suffix: str | None = None) -> Pair:
    net = pair(story.network, suffix=str(retries) if suffix is None else suffix)
    lead_answers_away(net)
    net.server.set_sysctl(RETRIES, retries)
    return net


def _live(net: Pair, backlog: int, count: int, left: int = 0) -> Life:
    """Make half-open requests, and measure how long it takes until no more than ``left`` are there."""
    with listen(net.server, net.server_address, backlog):
        moment, packets, elapsed = Moment.of(net.server), Recording(net.server), stopwatch()
        flood(net, count, seed=count).wait()
        until(lambda: states(net.server).get("SYN_RECV", 0) == count, "the requests to be there")
        until(lambda: states(net.server).get("SYN_RECV", 0) <= left, "the requests to go", 60.0)
        return Life(elapsed(), moment, packets)


def _about(seconds: float) -> Between:
    return Between(round(seconds - 0.1, 2), round(seconds * (1 + LATE_SHARE) + SLACK_S, 2))


EXPERIMENT = Experiment(
    name="synack-retries",
    title="How long a half-open request lives, and why fewer SYN-ACK retries are no defence",
    claim="A request that nobody completes lives 2^(tcp_synack_retries + 1) - 1 seconds and dies uncounted; in a queue "
    "that is more than half full the kernel prunes it to a few seconds by itself.",
    run=run,
    proves=("HO219",),
    hosts=hosts_of_pairs("", *map(str, COUNTS), " of many"),
)
