"""Conversations by chance: each seed is one, of every kind that the record has a word for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from tests.model.capture import Tap
from tests.model.endpoint import MS, Action, Behaviour
from tests.model.segments import ACK, RST, SPAN, Ends, Options
from tests.model.world import Plan, Way

if TYPE_CHECKING:
    from random import Random

SECOND = 1000 * MS


@dataclass(frozen=True)
class Conversation:
    """A plan, where it takes place, and how it is captured."""

    plans: tuple[tuple[Plan, int], ...]
    """One after the other, on the same addresses and ports, each with the pause before it in nanoseconds."""
    ends: Ends
    tap: Tap
    kind: str


def conversation(random: Random, number: int) -> Conversation:
    """One of them."""
    kind = random.choice(KINDS)
    plan = _plan(kind, random)
    if kind != "wrong ack" and random.random() < 0.2:
        # A capture with gaps, or in disorder, leaves open of which attempt a segment is.
        again = random.choice([k for k in KINDS if k not in {"wrong ack", "simultaneous open"}])
        tap = random.choice([Tap(), Tap(twice="hop"), Tap(twice="mirror"), Tap(twice="ends")])
        pause = random.choice([100 * MS, 2 * SECOND, 20 * SECOND])
        second = _plan(again, random)
        client, server = ((isn + random.randrange(1 << 27, 1 << 31)) % SPAN for isn in plan.isns)
        second.isns = (client, server)
        plans, name = ((plan, 0), (second, pause)), f"{kind}, then {again}"
        return Conversation(plans, _ends(random, number), tap, name)
    # Which of several numbers holds, or that a packet is a stranger's, shows only where nothing was missed.
    tap = Tap() if kind in {"new isn", "wrong ack", "forged"} else _tap(random)
    return Conversation(((plan, 0),), _ends(random, number), tap, kind)


def _plan(kind: str, random: Random) -> Plan:
    plan = _ordinary(random)
    kind_of[kind](plan, random)
    return plan


def _ends(random: Random, number: int) -> Ends:
    pair = ("2001:db8::a", "2001:db8::b") if random.random() < 0.3 else ("10.1.0.1", "10.1.0.2")
    addresses = [ip_address(a) for a in pair]
    random.shuffle(addresses)
    router = ip_address("2001:db8::fe" if addresses[0].version == 6 else "10.1.0.254")
    ports = [20_000 + number % 40_000, 80]
    return Ends((addresses[0], addresses[1]), (ports[0], ports[1]), router)


def _options(random: Random) -> Options:
    return Options(
        mss=random.choice([1460, 1440, 536, None]),
        window_scale=random.choice([0, 7, 14, None]),
        sack=random.random() < 0.7,
        timestamps=(0, 0) if random.random() < 0.6 else None,
    )


def _script(random: Random, longest_ns: int = 400 * MS) -> tuple[Action, ...]:
    actions: list[Action] = [
        (random.randrange(1, longest_ns), "write", random.randrange(1, 1200)) for _ in range(random.randrange(4))
    ]
    ending = random.choices(["close", "abort", None], [6, 2, 2])[0]
    if ending is not None:
        actions.append((random.randrange(1, longest_ns), ending, 0))
    return tuple(actions)


def _ordinary(random: Random) -> Plan:
    near, far = random.randrange(1, 60 * MS), random.randrange(1, 60 * MS)
    loss = random.choice([0.0, 0.0, 0.1, 0.3])
    ways = (Way(near, far, loss, loss), Way(far, near, loss, loss))
    isns = tuple(random.choice([random.randrange(1 << 32), 0, (1 << 32) - 2, (1 << 31) - 1]) for _ in range(2))
    ecn = random.random() < 0.3
    late = random.randrange(5 * MS, 50 * MS)
    client = Behaviour(options=_options(random), script=_script(random), ecn=ecn)
    server = Behaviour(
        listens=True, options=_options(random), script=_script(random), ecn=random.random() < 0.5, late_ns=late
    )
    return Plan((client, server), (isns[0], isns[1]), ways)


def _tap(random: Random) -> Tap:
    chance = random.random()
    if chance < 0.5:
        return Tap()
    if chance < 0.6:
        return Tap(missed=0.15)
    if chance < 0.7:
        return Tap(starts_ns=random.randrange(1, 300 * MS))
    if chance < 0.75:
        return Tap(only=random.randrange(2))
    if chance < 0.9:
        return Tap(disorder_ns=random.choice([100_000, 2 * MS, 8 * MS]))
    return Tap(twice=random.choice(["hop", "mirror", "ends"]))


# ---- kinds


def _plain(plan: Plan, random: Random) -> None:
    del plan, random


def _refused(plan: Plan, random: Random) -> None:
    plan.behaviours[1].listens = False
    del random


def _silent(plan: Plan, random: Random) -> None:
    plan.ways[0].silent = True
    plan.behaviours[0].retries = random.randrange(7)


def _unreachable(plan: Plan, random: Random) -> None:
    plan.ways[0].unreachable = True
    plan.behaviours[0].retries = random.randrange(4)


def _lost_answer(plan: Plan, random: Random) -> None:
    plan.ways[1].silent = True
    plan.behaviours[0].retries = random.randrange(3)
    plan.behaviours[1].retries = random.randrange(4)


def _gives_up(plan: Plan, random: Random) -> None:
    plan.behaviours[0].gives_up_ns = random.randrange(1, 200 * MS)


def _deaf(plan: Plan, random: Random) -> None:
    plan.behaviours[1].deaf_ns = random.randrange(200 * MS, 9 * SECOND)


def _resets(plan: Plan, random: Random) -> None:
    plan.behaviours[1].resets_at_accept = True
    del random


def _wrong_ack(plan: Plan, random: Random) -> None:
    plan.behaviours[1].wrong_ack = True
    plan.behaviours[0].retries = random.randrange(3)


def _new_isn(plan: Plan, random: Random) -> None:
    plan.behaviours[1].new_isn = True
    plan.ways[1].lost_behind = 0.5
    del random


def _fast_open(plan: Plan, random: Random) -> None:
    client, server = plan.behaviours
    client.fast_open = random.choice(["request", "cookie"])
    client.syn_data = random.choice([0, 1, 500])
    server.fast_open = random.choice([None, "grant", "accept"])


def _simultaneous(plan: Plan, random: Random) -> None:
    client, server = plan.behaviours
    plan.behaviours = (client, replace(server, listens=False))
    rtt = plan.ways[0].to_tap_ns + plan.ways[0].from_tap_ns
    plan.opens_ns = (0, random.randrange(rtt))


def _simultaneous_close(plan: Plan, random: Random) -> None:
    rtt = plan.ways[0].to_tap_ns + plan.ways[0].from_tap_ns
    when = random.randrange(400 * MS)
    plan.behaviours[0].script = ((when, "close", 0),)
    plan.behaviours[1].script = ((max(1, when + random.randrange(-2 * rtt, rtt)), "close", 0),)


def _forged(plan: Plan, random: Random) -> None:
    flags = random.choice([RST, RST | ACK, ACK])
    at = random.randrange(600 * MS)
    plan.forged = [(at, random.randrange(2), flags, random.randrange(1 << 29, 1 << 30))]


kind_of = {
    "plain": _plain,
    "refused": _refused,
    "silent": _silent,
    "unreachable": _unreachable,
    "lost answer": _lost_answer,
    "gives up": _gives_up,
    "deaf": _deaf,
    "resets at accept": _resets,
    "wrong ack": _wrong_ack,
    "new isn": _new_isn,
    "fast open": _fast_open,
    "simultaneous open": _simultaneous,
    "simultaneous close": _simultaneous_close,
    "forged": _forged,
}
KINDS = [*kind_of, "plain", "plain", "plain"]
