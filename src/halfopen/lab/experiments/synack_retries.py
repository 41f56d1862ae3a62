"""How long a half-open request lives: tcp_synack_retries, unless the queue is more than half full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.syn_retries import LATE_SHARE, syn_ack_gives_up_after_s
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, states
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import listen
from halfopen.lab.waiting import stopwatch, until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

RETRIES = "net.ipv4.tcp_synack_retries"
#: One timer of a second beyond the last retransmission, and the timer wheel's rounding.
SLACK_S = 1.0


def run(story: Story) -> None:
    """One SYN that nobody completes, with one retry and with two; then a queue that is more than half full."""
    net = pair(story.network)
    lead_answers_away(net)
    for retries in (1, 2):
        net.server.set_sysctl(RETRIES, retries)
        story.say(f"A SYN arrives from an address that never answers; {RETRIES} = {retries}.")
        moment, lived = _half_open(net, 100, 1)
        expected = syn_ack_gives_up_after_s(retries)
        story.expect("seconds until the request is gone", _about(expected), lived)
        story.expect("SYN-ACKs sent again (TCPSynRetrans)", retries, moment.since("TCPSynRetrans"))
        story.expect("counter of requests that were given up", 0, moment.since("AttemptFails"))
    net.server.set_sysctl(RETRIES, 5)
    story.say(
        f"The default, {RETRIES} = 5, keeps a request for about a minute. But nine of them in a queue of 10, more than "
        "half, are pruned by the kernel itself:"
    )
    _, lived = _half_open(net, 10, 9, left=5)
    story.expect("seconds until no more than five of nine are left", Between(3.0, 20.0), lived)


def _half_open(net: Pair, backlog: int, count: int, left: int = 0) -> tuple[Moment, float]:
    """Make half-open requests, and measure how long it takes until no more than ``left`` are there."""
    listener = listen(net.server, net.server_address, backlog)
    moment = Moment.of(net.server)
    flood(net, count, seed=count).wait()
    until(lambda: states(net.server).get("SYN_RECV", 0) == count, "the requests to be there")
    elapsed = stopwatch()
    until(lambda: states(net.server).get("SYN_RECV", 0) <= left, "the requests to go", 60.0)
    lived = elapsed()
    listener.close()
    return moment, lived


def _about(seconds: float) -> Between:
    return Between(round(seconds - 0.1, 2), round(seconds * (1 + LATE_SHARE) + SLACK_S, 2))


EXPERIMENT = Experiment(
    name="synack-retries",
    title="How long a half-open request lives, and why fewer SYN-ACK retries are no defence",
    claim="A request that nobody completes lives 2^(tcp_synack_retries + 1) - 1 seconds and dies uncounted; in a queue "
    "that is more than half full the kernel prunes it to a few seconds by itself.",
    run=run,
    proves=("HO219",),
)
