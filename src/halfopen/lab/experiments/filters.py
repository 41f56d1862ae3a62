"""A SYN that a packet filter, the reverse path filter or the client's own OUTPUT chain drops: the signature of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.errors import NotAvailableError
from halfopen.lab.dropping import CASES, Drop
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, states
from halfopen.lab.programs import nft
from halfopen.lab.recording import Recording
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from halfopen.lab.namespace import Task
    from halfopen.lab.story import Story

#: With one retry and at once a second one: long enough for a second SYN.
WAIT_S = 1.6
#: More than the doctor takes for chance.
SYNS = 10


#: Counters of packets and bytes, which tell that something arrived, and not what became of it.
TRAFFIC = frozenset(
    {"InReceives", "InDelivers", "InOctets", "InNoECTPkts", "InSegs", "OutRequests", "OutTransmits", "OutOctets"}
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One connect that is under way, in a network of its own."""

    drop: Drop
    net: Pair
    moment: Moment
    packets: Recording
    doctor: Examination
    task: Task[str | None]
    held: object
    """What the case needs to be open: the listener, and a connection of its own."""


def run(story: Story) -> None:
    """Each in a network of its own; then the same without the rule."""
    story.say(
        f"A client connects to a listener that is idle, and nothing comes of it. What it is told within {WAIT_S} s, "
        "and what moves on the server:"
    )
    begun = [_begin(story, number, *case) for number, case in enumerate(CASES)]
    trials = {trial.drop.code: trial for trial in begun if trial is not None}
    for trial in filter(None, begun):
        _tell(story, trial)
    story.say(
        "A SYN that is dropped before TCP moves no counter of TCP: ListenDrops tells queues and routes from filters."
    )
    dropped, strict = trials.get("HO605"), trials["HO602"]
    if dropped is not None:
        dropped.doctor.expect(story, "HO605", found=True)
    story.say(f"{SYNS} SYNs more, from other addresses to which strict rp_filter knows no way back:")
    flood(strict.net, SYNS).wait()
    strict.doctor.expect(story, "HO602", found=True)

    story.remedy("Take the rule away, or put an accept before it; give the server a route back to its clients.")
    if dropped is not None:
        nft(dropped.net.server, "flush ruleset")
        _mended(story, dropped.net, "HO605")
    lead_answers_away(strict.net)
    doctor, moment = Examination.begin(strict.net.server), Moment.of(strict.net.server)
    flood(strict.net, SYNS).wait()
    story.expect(f"{SYNS} SYNs with a route back: IPReversePathFilter", 0, moment.since("IPReversePathFilter"))
    doctor.expect(story, "HO602", found=False)


def _begin(
    story: Story, number: int, drop: Drop, prepare: Callable[[Pair], object], source: str | None
) -> Trial | None:
    net = pair(story.network, suffix=str(number))
    listener = listen(net.server, net.server_address, 8)
    # So that the two know each other's link address: rp_filter stops ARP, too.
    close_all(connect(net.client, net.server_address))
    try:
        held = prepare(net)
    except NotAvailableError as error:
        story.say(f"{drop.name}: not available here: {error}")
        return None
    _settle(net)
    doctor, moment, packets = Examination.begin(net.server), Moment.of(net.server), Recording(net.client)
    task = net.client.start(_try, net.server_address, source)
    return Trial(drop, net, moment, packets, doctor, task, (listener, held))


def _tell(story: Story, trial: Trial) -> None:
    drop, error = trial.drop, trial.task.result()
    arrived = int(trial.moment.since("InReceives") > 0)
    story.expect(f"{drop.name}: told", drop.error, error)
    story.expect("  handshakes on the client's wire, by trace", drop.seen, trial.packets.outcomes())
    story.expect("  the SYN reached the server's IP layer", int(drop.arrived), arrived)
    story.expect("  counters of TCP and IP that moved on the server", drop.counter or "none", _moved(trial.moment))


def _settle(net: Pair) -> None:
    """Wait for the end of what came before: its packets are not to count."""
    until(lambda: "FIN_WAIT1" not in states(net.client), "the last FIN to be acknowledged")


def _mended(story: Story, net: Pair, code: str) -> None:
    doctor = Examination.begin(net.server)
    (attempt,) = connect(net.client, net.server_address)
    story.expect("the client is connected", 1, int(attempt.connected))
    doctor.expect(story, code, found=False)
    close_all([attempt])


def _try(address: str, source: str | None) -> str | None:
    """What the caller of connect() is told, by ``halfopen probe``."""
    found = _core.probe(address, PORT, source=source, timeout_s=WAIT_S, syn_retries=1)
    return None if found["outcome"] == "timeout" else found["errno"]


def _moved(moment: Moment) -> str:
    """Counters of TCP and IP that moved, but those of traffic."""
    return ", ".join(sorted(moment.moved().keys() - TRAFFIC)) or "none"


EXPERIMENT = Experiment(
    name="filters",
    title="Where a SYN was dropped: packet filter, rate limit, rp_filter, no route, the client's own rules",
    claim="A SYN that a filter, a limit or rp_filter drops moves no counter of TCP (rp_filter has "
    "one of its own, IPReversePathFilter); without a route back ListenDrops and OutNoRoutes move; the client's own "
    "OUTPUT chain drops it as silently as a filter far away.",
    run=run,
    proves=("HO602", "HO605"),
    hosts=hosts_of_pairs(*map(str, range(len(CASES)))),
)
