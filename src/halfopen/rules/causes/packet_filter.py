"""The packet filter: does a rule stop the SYN on its way out, or the answer on its way in?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence
from halfopen.rules.filtering import Packet, stops

if TYPE_CHECKING:
    from halfopen.rules.causes.way import Way
    from halfopen.rules.filtering import Stop
    from halfopen.rules.space import Space


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether the packet filter stops the SYN on its way out, or the answer on its way in."""
    if space.now.packet_filter is None:
        return LocalCause("filter", "unknown", "The packet filter's rules could not be read.")
    out = list(stops(space.now.packet_filter, "output", Packet(way.source, way.destination, way.port)))
    back = [
        stop
        for stop in stops(space.now.packet_filter, "input", Packet(way.destination, way.source, None))
        if stop.rule is None
    ]
    if not out and not back:
        return LocalCause("filter", "exonerated", "No rule of the packet filter stops a SYN on its way out.")
    grown = [stop for stop in out if _moved(space, stop)]
    stop = (grown or out or back)[0]
    if stop in back and _lets_answers_in(space):
        return LocalCause("filter", "exonerated", "No rule of the packet filter stops a SYN on its way out.")
    what = "the SYN on its way out" if out else "the answer on its way in"
    may = "counted packets in the meantime and" if grown else "may"
    sentence = f"{stop.where[0].upper()}{stop.where[1:]} {may} {stop.verdict}{'s' if grown else ''} {what}."
    evidence = (
        (Evidence("packets it counted", stop.packets, "packets", stop.chain),) if stop.packets is not None else ()
    )
    confirm = space.command("nft list ruleset")
    return LocalCause("filter", "cause" if grown else "possible", sentence, evidence, confirm=confirm)


def _moved(space: Space, stop: Stop) -> bool:
    """Whether the counter of what would stop the packet moved between the snapshots."""
    if space.before is None or space.before.packet_filter is None or stop.packets is None:
        return False
    earlier = space.before.packet_filter
    if stop.rule is None:
        rows = [chain.packets for chain in earlier.chains if f"{chain.family} {chain.table} {chain.name}" == stop.chain]
    else:
        key = _rule_key(stop.rule.text)
        rows = [rule.packets for rule in earlier.rules if rule.chain == stop.rule.chain and _rule_key(rule.text) == key]
    return bool(rows) and rows[0] is not None and stop.packets > rows[0]


def _rule_key(text: str) -> str:
    """A rule's text without its counter, which nft prints in it."""
    words = text.split()
    return " ".join(
        word for index, word in enumerate(words) if not (word.isdigit() and words[index - 1] in {"packets", "bytes"})
    )


def _lets_answers_in(space: Space) -> bool:
    """Whether a rule at the input accepts what belongs to connections that this host began."""
    rules = () if space.now.packet_filter is None else space.now.packet_filter.rules
    return any(rule.conntrack and (rule.verdict or "").startswith("accept") for rule in rules)
