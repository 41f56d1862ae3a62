"""A SYN that a packet filter, the reverse path filter or the client's own OUTPUT chain drops: the signature of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.errors import NotAvailableError
from halfopen.lab.dropping import CASES, CLIENTS, Drop, rules
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, states
from halfopen.lab.programs import nft
from halfopen.lab.recording import Recording
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.story import AtLeast
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import BY_RST, PORT, Attempt, Target, close_all, connect, listen
from halfopen.lab.waiting import stopwatch, until

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from halfopen.lab.namespace import Task
    from halfopen.lab.story import Story

#: With one retry and at once a second one: long enough for a second SYN.
WAIT_S = 1.6
#: How long the others wait: less than until a second SYN.
PATIENCE_S = 0.9
#: Two ticks of the kernel's clock, or more.
TICKS_S = 0.02
#: More than the doctor takes for chance.
SYNS = 10
#: Counters of the server that tell why a SYN was dropped, when they move; and the doctor's findings of this kind.
TELLING = ("ListenDrops", "ListenOverflows", "TCPReqQFullDrop", "IPReversePathFilter", "OutNoRoutes", "InDiscards")
CODES = ("HO401", "HO404", "HO602", "HO604", "HO605")


@dataclass(frozen=True, slots=True)
class Visits:
    """What became of clients of one case."""

    one_by_one: int
    at_once: int
    told: str
    """What one more client was told, who came last and sent his SYN twice."""
    seen: str
    """Its handshake, by the tracker."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One case that is under way, in a network of its own."""

    drop: Drop
    net: Pair
    listener: socket.socket
    moment: Moment
    doctor: Examination
    task: Task[Visits]


def run(story: Story) -> None:
    """Each in a network of its own; then the same without the rule."""
    story.say(
        f"Clients connect to a listener that is idle: {CLIENTS} one after the other, each gone before the next comes; "
        f"then {CLIENTS} at once, who stay; then one more, who waits {WAIT_S} s. Who gets in, what the last one is "
        f"told, and what tells of it on the server, case by case. Of its counters, {', '.join(TELLING)} are looked at; "
        f"of what halfopen doctor finds there, {', '.join(CODES)}."
    )
    begun = [_begin(story, number, *case) for number, case in enumerate(CASES)]
    trials = {trial.drop.found: trial for trial in begun[::-1] if trial is not None}
    signatures = [_tell(story, trial) for trial in begun if trial is not None]
    columns = ("case", "told", f"got in, of {CLIENTS} and {CLIENTS}", "counters", "doctor")
    story.table("The signatures side by side", columns, signatures)
    story.say(
        "What a rule eats moves no counter of TCP: ListenDrops tells queues and routes from filters. Which rule it is, "
        "tells its own counter, and who gets in: nobody (a drop), the first few (a rate), or all but those that come "
        "together (a number at a time)."
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


def _begin(story: Story, number: int, drop: Drop, prepare: Callable[[Pair], None], source: str | None) -> Trial | None:
    net = pair(story.network, suffix=str(number))
    listener = listen(net.server, net.server_address, 8 * CLIENTS)
    # So that the two know each other's link address: rp_filter stops ARP, too.
    close_all(connect(net.client, Target(net.server_address, options=(BY_RST,))))
    try:
        prepare(net)
    except NotAvailableError as error:
        story.say(f"{drop.name}: not available here: {error}")
        return None
    until(lambda: "ESTABLISHED" not in states(net.server), "the last connection to end")
    doctor, moment = Examination.begin(net.server), Moment.of(net.server)
    return Trial(drop, net, listener, moment, doctor, net.client.start(_visit, net, source))


def _visit(net: Pair, source: str | None) -> Visits:
    target = Target(net.server_address, options=(BY_RST,), bind=(source, 0) if source else None)
    one_by_one = 0
    for _ in range(CLIENTS):
        alone = connect(net.client, target, timeout_s=PATIENCE_S)
        one_by_one += alone[0].connected
        close_all(alone)
        # Who is gone is taken off the number of those that are there once a tick.
        gone = stopwatch()
        until(lambda: gone() > TICKS_S, "a tick of the kernel's clock to pass")  # noqa: B023  (called within the turn)
    together: list[Attempt] = connect(net.client, target, CLIENTS, timeout_s=PATIENCE_S)
    at_once = sum(attempt.connected for attempt in together)
    close_all([attempt for attempt in together if not attempt.connected])
    packets = Recording(net.client)
    found = _core.probe(net.server_address, PORT, source=source, timeout_s=WAIT_S, syn_retries=1)
    told = "no answer" if found["outcome"] == "timeout" else found["errno"] or "connected"
    seen = packets.outcomes()
    close_all(together)
    return Visits(one_by_one, at_once, told, seen)


def _tell(story: Story, trial: Trial) -> tuple[str, ...]:
    """Gives the case and its signature in short."""
    drop, visits = trial.drop, trial.task.result()
    story.expect(f"{drop.name}: the client is told", drop.told, visits.told)
    story.expect("  its handshake on the client's wire, by trace", drop.seen, visits.seen)
    got_in = f"{visits.one_by_one}, {visits.at_once}"
    story.expect("  got in: one after the other, at once", f"{drop.one_by_one}, {drop.at_once}", got_in)
    arrived = int(trial.moment.since("InReceives") > 0)
    story.expect("  a SYN reached the server's IP layer", int(drop.arrived), arrived)
    moved = trial.moment.moved()
    counters = ", ".join(name for name in TELLING if name in moved) or "none"
    story.expect("  of the server's counters named above, moved", drop.counters, counters)
    _tell_rule(story, trial)
    found = trial.doctor.codes()
    codes = ", ".join(code for code in CODES if code in found) or "none"
    story.expect("  of the findings named above, the server has", drop.found, codes)
    return drop.name, visits.told, got_in, counters, codes


def _tell_rule(story: Story, trial: Trial) -> None:
    """The rule that ate the SYNs, by its own counter."""
    drop, net = trial.drop, trial.net
    if drop.rule is None:
        return
    (rule,) = rules(net.client if drop.on_client else net.server)
    assert drop.rule in rule.expression, rule
    eaten = 2 * CLIENTS - drop.one_by_one - drop.at_once
    whose = "client" if drop.on_client else "server"
    story.expect(f"  packets that the {whose}'s rule «{rule.expression}» counts", AtLeast(eaten), rule.packets)


def _mended(story: Story, net: Pair, code: str) -> None:
    doctor = Examination.begin(net.server)
    (attempt,) = connect(net.client, net.server_address)
    story.expect("the client is connected", 1, int(attempt.connected))
    doctor.expect(story, code, found=False)
    close_all([attempt])


EXPERIMENT = Experiment(
    name="filters",
    title="Where a SYN was dropped: packet filter, rate limit, rp_filter, no route, the client's own rules",
    claim="A SYN that a filter, a limit or rp_filter drops moves no counter of TCP (rp_filter has one of its own, "
    "IPReversePathFilter); without a route back ListenDrops and OutNoRoutes move; a drop, a rate and a limit of "
    "connections are told apart by who gets in and by the rule's own counter; the client's own OUTPUT chain drops it "
    "as silently as a filter far away.",
    run=run,
    proves=("HO602", "HO605"),
    hosts=hosts_of_pairs(*map(str, range(len(CASES)))),
)
