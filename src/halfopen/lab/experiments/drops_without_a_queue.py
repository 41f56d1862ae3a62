"""Drops at listeners that no full queue explains: no route back to the sender, and a queue that has emptied since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, states
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.story import AtLeast
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

SYNS, RATE = 40, 400
COOKIES = "net.ipv4.tcp_syncookies"
MAX_SYN_BACKLOG = "net.ipv4.tcp_max_syn_backlog"
#: Of 16, a quarter stays free: 13 half-open requests.
SMALL, ADMITTED = 16, 13
BACKLOG = 128
#: A half-open request lives for a quarter of a minute, within which a busy machine looks.
LATER = 3


def run(story: Story) -> None:
    """SYNs from where no route leads; then a burst under the three-quarter rule, looked at when it is over."""
    lost, burst = pair(story.network), pair(story.network, suffix="2")
    with listen(lost.server, lost.server_address, BACKLOG), listen(burst.server, burst.server_address, BACKLOG):
        story.say(f"{SYNS} SYNs come from a network to which the server has no route. Its queues are empty.")
        moment = _no_route(story, lost)
        story.expect("  ListenDrops", AtLeast(SYNS // 2), moment.since("ListenDrops"))
        story.expect("  OutNoRoutes", AtLeast(SYNS // 2), moment.since("OutNoRoutes"))
        _burst(story, burst)
        story.remedy(f"Add the route that leads back; leave {COOKIES} at 1.")
        lead_answers_away(lost)
        moment = _no_route(story, lost, found=False)
        story.expect("  ListenDrops", 0, moment.since("ListenDrops"))
        burst.server.set_sysctl(COOKIES, 1)
        doctor, moment = Examination.begin(burst.server), Moment.of(burst.server)
        flood(burst, SYNS, rate=RATE, seed=2).wait()
        story.expect("of the burst with cookies on: ListenDrops", 0, moment.since("ListenDrops"))
        doctor.expect(story, "HO607", found=False)


def _no_route(story: Story, net: Pair, *, found: bool = True) -> Moment:
    doctor, moment = Examination.begin(net.server), Moment.of(net.server)
    flood(net, SYNS, rate=RATE).wait()
    doctor.expect(story, "HO606", found=found)
    story.expect("  ListenOverflows", 0, moment.since("ListenOverflows"))
    story.expect("  TCPReqQFullDrop", 0, moment.since("TCPReqQFullDrop"))
    return moment


def _burst(story: Story, net: Pair) -> None:
    """The rule of HO108 shows while its queue is full; afterwards only the counter of drops tells of it."""
    lead_answers_away(net)
    for key, value in ((COOKIES, 0), (MAX_SYN_BACKLOG, SMALL), ("net.ipv4.tcp_synack_retries", LATER)):
        net.server.set_sysctl(key, value)
    story.say(
        f"On another server {COOKIES} is 0 and {MAX_SYN_BACKLOG} is {SMALL}; {SYNS} SYNs come in a tenth of a second, "
        f"and {ADMITTED} of them are let in. Whoever looks a quarter of a minute later sees an empty queue:"
    )
    doctor, moment = Examination.begin(net.server), Moment.of(net.server)
    flood(net, SYNS, rate=RATE).wait()
    story.expect("half-open requests", ADMITTED, states(net.server).get("SYN_RECV", 0))
    doctor.expect(story, "HO108", found=True)
    doctor.expect(story, "HO607", found=False)
    until(lambda: states(net.server).get("SYN_RECV", 0) == 0, "the half-open requests to end", 60.0)
    story.expect("ListenDrops", AtLeast(SYNS - ADMITTED - 5), moment.since("ListenDrops"))
    story.expect(
        "  of which a full queue explains", 0, moment.since("ListenOverflows") + moment.since("TCPReqQFullDrop")
    )
    doctor.expect(story, "HO607", found=True)


EXPERIMENT = Experiment(
    name="drops-without-a-queue",
    title="Drops at a listener that no full queue explains",
    claim="Without a route back to the sender the kernel drops a SYN and counts it in ListenDrops and OutNoRoutes; the "
    "three-quarter rule counts in ListenDrops alone, and afterwards nothing else tells of it.",
    run=run,
    proves=("HO606", "HO607"),
    hosts=hosts_of_pairs("", "2"),
)
