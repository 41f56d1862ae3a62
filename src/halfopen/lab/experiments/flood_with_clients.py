"""A SYN flood beside real clients: what each of the usual answers does for the clients. One table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError
from halfopen.lab.examine import Examination, hold
from halfopen.lab.experiment import Experiment
from halfopen.lab.flood_answers import (
    ANSWERS,
    CLIENT_RATE,
    CLIENTS,
    COOKIES,
    FEW,
    FLOOD_RATE,
    GLOBAL_LIMIT,
    PEACE,
    PREFILL,
    Answer,
)
from halfopen.lab.observe import Moment, states
from halfopen.lab.programs import nft
from halfopen.lab.spoofing import TIME_MAX_S, flood, lead_answers_away
from halfopen.lab.story import AtLeast, Exactly
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, Target
from halfopen.lab.visitors import Visitors, serving, visit
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen import _core
    from halfopen.lab.story import Expected, Story
    from halfopen.lab.topology import Network

#: Flood rates of the figure, SYNs a second.
RATES = (0, 25, 100, 400)
#: How long the flood goes on for those who look around.
LOOKED_AT_S = 600.0
REJECTED = "TSEcrRejected"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the clients, or why the answer cannot be had here."""

    answer: Answer
    visitors: Visitors = field(default_factory=Visitors)
    counters: dict[str, int] = field(default_factory=dict)
    """Those of the server that moved."""
    found: frozenset[str] = frozenset()
    """What the doctor of the server finds of the rules that this experiment proves."""
    unavailable: str | None = None


def run(story: Story) -> None:
    """Every answer in a network of its own, all at once."""
    story.say(
        f"{CLIENTS} clients come at {CLIENT_RATE:g} a second and wait for the server's first byte, three seconds at "
        f"most. A flood of {FLOOD_RATE} SYNs a second from addresses that do not exist has begun before and filled "
        f"every queue. Of {CLIENTS} clients (how long they waited is in the table below):"
    )
    if story.look is not None:
        _stand(story, ANSWERS[0])
    outcomes = _all(story, ANSWERS[:-1])
    for outcome in outcomes:
        _tell(story, outcome)
        if outcome.counters.get(REJECTED):
            story.expect(f"  {REJECTED}: ACKs with a timestamp that the listener never sent", AtLeast(CLIENTS // 2),
                         outcome.counters[REJECTED])  # fmt: skip
            story.say(
                "With timestamps, synproxy hands the listener an ACK whose timestamp is not the listener's. Since "
                "Linux 6.15 it is rejected, and every client waits a second for the SYN-ACK to be sent again."
            )
    _figure(story)
    story.remedy(
        f"Leave {COOKIES} at 1, or turn it on. It needs no other setting, and no rule that drops SYNs: a limit for all "
        "of them drops the clients with the flood."
    )
    mended = _all(story, (ANSWERS[-1], PEACE))
    sent: tuple[Expected, ...] = (AtLeast(PREFILL // 2), Exactly(0))
    for outcome, cookies in zip(mended, sent, strict=True):
        _tell(story, outcome)
        story.expect("  SYN cookies that were sent", cookies, outcome.counters.get("SyncookiesSent", 0))
    _table(story, [*outcomes, *mended])


def _stand(story: Story, answer: Answer) -> None:
    """A flood that goes on for those who look around: its hosts are those of the experiment itself."""
    net = pair(story.network)
    _prepare(net, answer)
    with serving(net.server, net.server_address, PORT, answer.backlog):
        background = _flood(net, answer, story.network.seed, LOOKED_AT_S)
        story.say(f"Here, for {LOOKED_AT_S:.0f} s, with: {answer.name}.")
        visitors = visit(net.client, Target(net.server_address), CLIENTS, CLIENT_RATE)
        story.expect(f"{answer.name}: clients served", answer.served, visitors.served)
        story.expect("half-open requests", AtLeast(answer.backlog), _half_open(net))
        story.pitfall()
        del background


def _all(story: Story, answers: tuple[Answer, ...]) -> list[Outcome]:
    with ThreadPoolExecutor(len(answers)) as pool:
        return list(pool.map(lambda answer: _try(answer, story.network), answers))


def _tell(story: Story, outcome: Outcome) -> None:
    name, visitors = outcome.answer.name, outcome.visitors
    if outcome.unavailable is not None:
        story.say(f"{name}: not available here: {outcome.unavailable}")
        return
    story.expect(f"{name}: clients served", outcome.answer.served, visitors.served)
    _tell_found(story, outcome)


def _tell_found(story: Story, outcome: Outcome) -> None:
    answer = outcome.answer
    for code in (*answer.finds, *answer.silent):
        hold(story, "server", code, expected=code in answer.finds, found=code in outcome.found)


def _table(story: Story, outcomes: list[Outcome]) -> None:
    rows = [
        (outcome.answer.name, f"{100 * outcome.visitors.served / CLIENTS:.0f} %", outcome.visitors.median_ms)
        for outcome in outcomes
        if outcome.unavailable is None
    ]
    columns = ("answer to the flood", "clients served", "until the first byte, ms (median)")
    served = [(outcome.answer.name, outcome.visitors.served) for outcome in outcomes if outcome.unavailable is None]
    story.compare(f"Served of {CLIENTS} real clients beside {FLOOD_RATE} made-up SYNs a second", "clients", served)
    story.table(f"{CLIENTS} real clients beside {FLOOD_RATE} made-up SYNs a second", columns, rows)


def _figure(story: Story) -> None:
    limits = tuple(Answer("limit", FEW, rules=GLOBAL_LIMIT, flood_rate=rate, prefill=0) for rate in RATES)
    points = [(outcome.answer.flood_rate, outcome.visitors.served / CLIENTS) for outcome in _all(story, limits)]
    story.figure("Clients served with «limit 10/second» for all SYNs", "flood, SYNs per second", "share served", points)


def _try(answer: Answer, beside: Network) -> Outcome:
    with beside.another(answer.name) as network:
        net = pair(network)
        try:
            _prepare(net, answer)
        except NotAvailableError as error:
            return Outcome(answer, unavailable=str(error))
        with serving(net.server, net.server_address, PORT, answer.backlog):
            moment, doctor = Moment.of(net.server), Examination.begin(net.server)
            background = _flood(net, answer, network.seed)
            visitors = visit(net.client, Target(net.server_address), CLIENTS, CLIENT_RATE)
            if background is not None:
                background.stop()
                background.wait()
            found = doctor.codes() & set(EXPERIMENT.proves)
        return Outcome(answer, visitors, moment.moved(), frozenset(found))


def _prepare(net: Pair, answer: Answer) -> None:
    lead_answers_away(net)
    if answer.rules is not None:
        nft(net.server, answer.rules)
    for key, value in answer.settings:
        net.server.set_sysctl(key, value)


def _half_open(net: Pair) -> int:
    return states(net.server).get("SYN_RECV", 0)


def _flood(net: Pair, answer: Answer, seed: int, time_max_s: float = TIME_MAX_S) -> _core.Flood | None:
    if answer.prefill and (COOKIES, 0) in answer.settings:
        # A burst loses packets on the way: send until the queue is full.
        until(
            lambda: flood(net, answer.prefill, seed=seed).wait() and _half_open(net) > answer.backlog,
            "the queue to fill",
            20.0,
        )
    elif answer.prefill:
        flood(net, answer.prefill, seed=seed).wait()
    rate = answer.flood_rate
    if not rate:
        return None
    return flood(net, int(rate * time_max_s), rate=rate, seed=seed + 1, time_max_s=time_max_s)


EXPERIMENT = Experiment(
    name="flood-with-clients",
    title="A SYN flood beside real clients: what each answer does for them",
    claim="SYN cookies serve the clients through a spoofed flood; a larger backlog or fewer SYN-ACK retries do not, "
    "and a rate limit for all SYNs locks the clients out by itself.",
    run=run,
    proves=("HO401", "HO402"),
)
