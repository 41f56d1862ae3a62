"""The packet filter: does a rule stop the SYN on its way out, or in where the target is this host; or the answer?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.filter_counters import grown
from halfopen.rules.filtering import Packet, names_source_port, stops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.rules.causes.way import Way
    from halfopen.rules.filtering import Stop
    from halfopen.rules.space import Space


@dataclass(frozen=True, slots=True)
class _Stopped:
    """What would stop which packet, and in which namespace."""

    stop: Stop
    space: Space
    what: str

    @property
    def moved(self) -> bool:
        """Whether it counted packets meanwhile."""
        return _moved(self.space, self.stop)


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether the packet filter stops the SYN, on its way out or in, or the answer on its way in."""
    if space.now.packet_filter is None:
        return LocalCause("filter", "unknown", "The packet filter's rules could not be read.")
    found = [*_on_the_way_out(space, way), *_at_the_target(space, way)]
    if way.unanswered:
        found += [_Stopped(stop, space, "the answer on its way in") for stop in _on_the_way_back(space, way)]
    if not found:
        either = "out or in" if way.there is not None and way.there.now.packet_filter is not None else "out"
        both = ", or its answer on its way in" if way.unanswered else ""
        return LocalCause(
            "filter", "exonerated", f"No rule of the packet filter stops a SYN on its way {either}{both}."
        )
    return _stopped(min(found, key=lambda one: not one.moved))


def _stopped(one: _Stopped) -> LocalCause:
    stop = one.stop
    may = "counted packets in the meantime and" if one.moved else "may"
    sentence = f"{stop.where[0].upper()}{stop.where[1:]} {may} {stop.verdict}{'s' if one.moved else ''} {one.what}."
    evidence = (
        (Evidence("packets it counted", stop.packets, "packets", stop.chain),) if stop.packets is not None else ()
    )
    confirm = one.space.command("nft list ruleset")
    remedy = Remedy("Change that rule, or accept the connection in one before it.") if one.moved else None
    return LocalCause("filter", "cause" if one.moved else "possible", sentence, evidence, remedy, confirm)


def _on_the_way_out(space: Space, way: Way) -> Iterator[_Stopped]:
    if space.now.packet_filter is not None:
        for stop in stops(space.now.packet_filter, "output", Packet(way.source, way.destination, way.port)):
            yield _Stopped(stop, space, "the SYN on its way out")


def _at_the_target(space: Space, way: Way) -> Iterator[_Stopped]:
    """Where the target is this host, or another network namespace of it: what meets the SYN there."""
    there = way.there
    if there is None or there.now.packet_filter is None:
        return
    where = "" if there.name == space.name else f" in network namespace {there.name}"
    for stop in stops(there.now.packet_filter, "input", Packet(way.source, way.destination, way.port)):
        yield _Stopped(stop, there, f"the SYN on its way in{where}")


def _on_the_way_back(space: Space, way: Way) -> Iterator[Stop]:
    """What could stop the answer: a rule that names its port or counted packets meanwhile, or a policy.

    A rule that is about neither drops strays on every well-kept host.
    """
    if space.now.packet_filter is None:
        return
    answer = Packet(way.destination, way.source, None, way.port)
    for stop in stops(space.now.packet_filter, "input", answer):
        if stop.rule is None:
            told = not _lets_answers_in(space)
        else:
            told = bool(names_source_port(stop.rule, way.port)) or _moved(space, stop)
        if told:
            yield stop


def _moved(space: Space, stop: Stop) -> bool:
    """Whether the counter of what would stop the packet moved between the snapshots."""
    if stop.rule is not None:
        return bool(grown(space, stop.rule))
    if space.before is None or space.before.packet_filter is None or stop.packets is None:
        return False
    chains = space.before.packet_filter.chains
    rows = [chain.packets for chain in chains if f"{chain.family} {chain.table} {chain.name}" == stop.chain]
    return bool(rows) and rows[0] is not None and stop.packets > rows[0]


def _lets_answers_in(space: Space) -> bool:
    """Whether a rule at the input accepts what belongs to connections that this host began."""
    rules = () if space.now.packet_filter is None else space.now.packet_filter.rules
    return any(rule.conntrack and (rule.verdict or "").startswith("accept") for rule in rules)
