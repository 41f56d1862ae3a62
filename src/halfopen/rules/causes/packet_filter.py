"""The packet filter: does a rule stop the SYN on its way out, or in where the target is this host; or the answer?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.filter_counters import grown
from halfopen.rules.filtering import Packet, names_source_port, stops
from halfopen.rules.routing import is_own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.cause import Stopped, Verdict
    from halfopen.rules.causes.way import Way
    from halfopen.rules.filtering import Stop
    from halfopen.rules.space import Space


#: What connect() says where a rule of this verdict stopped the SYN: with anything else it came less far, or further.
_ENDINGS = {
    "drop": frozenset({None, "ETIMEDOUT", "EPERM"}),
    "reject": frozenset({None, "ETIMEDOUT", "ECONNREFUSED", "EHOSTUNREACH", "EACCES"}),
}
_WORDS: dict[Stopped, str] = {
    "syn_out": "the SYN on its way out",
    "syn_in": "the SYN on its way in",
    "answer": "the answer on its way in",
}


@dataclass(frozen=True, slots=True)
class _Stopped:
    """What would stop which packet, and in which namespace."""

    stop: Stop
    space: Space
    packet: Stopped
    way: Way

    @property
    def guilty(self) -> bool:
        """Whether it stops every such packet, as its counter or its text says; a counter that stood still denies it."""
        if self.moved:
            return True
        still = self.stop.rule is not None and grown(self.space, self.stop.rule) == 0
        fits = not self.way.established and self.way.errno in _ENDINGS[self.stop.verdict]
        return self.stop.certain and fits and not still

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
        found += [_Stopped(stop, space, "answer", way) for stop in _on_the_way_back(space, way)]
    if not found:
        either = "out or in" if way.there is not None and way.there.now.packet_filter is not None else "out"
        both = ", or its answer on its way in" if way.unanswered else ""
        return LocalCause(
            "filter", "exonerated", f"No rule of the packet filter stops a SYN on its way {either}{both}."
        )
    return _stopped(min(found, key=lambda one: (not one.guilty, not one.moved)))


def _stopped(one: _Stopped) -> LocalCause:
    stop = one.stop
    where = "" if one.space is not one.way.there or one.space.now.own else f" in network namespace {one.space.name}"
    does = f"counted packets in the meantime and {stop.verdict}s" if one.moved else f"{stop.verdict}s"
    does = does if one.guilty else f"may {stop.verdict}"
    sentence = f"{stop.where[0].upper()}{stop.where[1:]} {does} {_WORDS[one.packet]}{where}."
    evidence = (
        (Evidence("packets it counted", stop.packets, "packets", stop.chain),) if stop.packets is not None else ()
    )
    confirm = one.space.command("nft list ruleset")
    change = "Change that rule" if stop.rule is not None else "Change that policy"
    accept = "accept the connection in a rule before it" if stop.rule is not None else "accept the connection in a rule"
    remedy = Remedy(f"{change}, or {accept}: `{confirm}`.") if one.guilty else None
    verdict: Verdict = "cause" if one.guilty else "possible"
    return LocalCause("filter", verdict, sentence, evidence, remedy, confirm, one.packet)


def _on_the_way_out(space: Space, way: Way) -> Iterator[_Stopped]:
    if space.now.packet_filter is not None:
        packet = Packet(way.source, way.destination, way.port, loopback=is_own(space.now, way.destination))
        for stop in stops(space.now.packet_filter, "output", packet):
            yield _Stopped(stop, space, "syn_out", way)


def _at_the_target(space: Space, way: Way) -> Iterator[_Stopped]:
    """Where the target is this host, or another network namespace of it: what meets the SYN there."""
    there = way.there
    if there is None or there.now.packet_filter is None:
        return
    packet = Packet(way.source, way.destination, way.port, loopback=there.name == space.name)
    for stop in stops(there.now.packet_filter, "input", packet):
        yield _Stopped(stop, there, "syn_in", way)


def _on_the_way_back(space: Space, way: Way) -> Iterator[Stop]:
    """What could stop the answer: a rule that names its port or counted packets meanwhile, or a policy.

    A rule that is about neither drops strays on every well-kept host.
    """
    if space.now.packet_filter is None:
        return
    answer = Packet(way.destination, way.source, None, way.port, loopback=is_own(space.now, way.destination))
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
