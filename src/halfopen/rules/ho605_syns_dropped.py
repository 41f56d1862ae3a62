"""HO605: the packet filter drops connections to a port that is served here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import duration, plural
from halfopen.rules.filter_conditions import Packet
from halfopen.rules.filter_counters import grown
from halfopen.rules.filter_matching import matches, names_ports_by_number
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.model.network import FilterRule
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space


class SynsDropped(Rule):
    """The packet filter drops connections to a port that is served here.

    ## What it finds
    A rule at the input that drops or rejects, names a port on which something listens, and counted packets between two
    snapshots.

    ## Why it matters
    A capture shows the SYN arrive and nothing go out; TCP never saw it, so that none of its counters moves.

    ## Evidence
    The rule and its counter.

    ## Confirm by hand
    `iptables -vnL INPUT`, `nft list ruleset`: the counter, twice.

    ## Remedy
    If they are clients of yours, put an accept before the rule. A rule that is meant to keep them out does its work.

    ## When it is wrong
    Mostly: dropping is what packet filters are for. It answers the question where the SYNs went. A rule of nft without
    `counter` counts nothing, and is not reported here; `halfopen doctor HOST:PORT` names it.

    ## References
    iptables(8); nft(8).
    """

    code = "HO605"
    name = "syns-dropped-by-filter"
    severity = "notice"
    harm = "risk"
    proof = "filters"
    needs = ("packet_filter", "interval")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each rule."""
        for space in context.spaces:
            rules = () if space.now.packet_filter is None else space.now.packet_filter.rules
            for rule in rules:
                count = grown(space, rule) if _drops(rule) else None
                served = next((one for one in space.listening if _names(rule, one)), None)
                if count and served is not None:
                    yield self._at(space, rule, served, count)

    def _at(self, space: Space, rule: FilterRule, served: Listening, count: int) -> Finding:
        took = duration(None if space.interval_s is None else space.interval_s * 1e6)
        return self.finding(
            space.subject("filter", f"{rule.family} {rule.table} {rule.chain}: {rule.text}"),
            f"The rule kept {plural(count, 'packet')} from {served.name} in {took}.",
            (Evidence("packets dropped in the interval", count, "packets", "rule counter"),),
            remedy=Remedy("If they are clients of yours, accept them before this rule."),
            confirm=space.command("nft list ruleset"),
        )


def _drops(rule: FilterRule) -> bool:
    return (rule.verdict or "") in {"drop", "reject"} and rule.hook not in {"output", "forward", "postrouting"}


def _names(rule: FilterRule, listening: Listening) -> bool:
    return bool(rule.ports) and names_ports_by_number(rule) and matches(rule, Packet(None, None, listening.port))
