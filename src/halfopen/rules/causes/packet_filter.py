"""The packet filter: does a rule stop the SYN on its way out, or the answer on its way in?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence
from halfopen.rules.filter_counters import grown
from halfopen.rules.filtering import Packet, names_source_port, stops

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.rules.causes.way import Way
    from halfopen.rules.filtering import Stop
    from halfopen.rules.space import Space


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether the packet filter stops the SYN on its way out, or the answer on its way in."""
    if space.now.packet_filter is None:
        return LocalCause("filter", "unknown", "The packet filter's rules could not be read.")
    out = list(stops(space.now.packet_filter, "output", Packet(way.source, way.destination, way.port)))
    back = list(_on_the_way_back(space, way)) if way.unanswered else []
    moved = [stop for stop in (*out, *back) if _moved(space, stop)]
    if not out and not back:
        both = ", or its answer on its way in" if way.unanswered else ""
        return LocalCause("filter", "exonerated", f"No rule of the packet filter stops a SYN on its way out{both}.")
    stop = (moved or out or back)[0]
    what = "the SYN on its way out" if stop in out else "the answer on its way in"
    may = "counted packets in the meantime and" if moved else "may"
    sentence = f"{stop.where[0].upper()}{stop.where[1:]} {may} {stop.verdict}{'s' if moved else ''} {what}."
    evidence = (
        (Evidence("packets it counted", stop.packets, "packets", stop.chain),) if stop.packets is not None else ()
    )
    confirm = space.command("nft list ruleset")
    return LocalCause("filter", "cause" if moved else "possible", sentence, evidence, confirm=confirm)


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
