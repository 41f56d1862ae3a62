"""HO401: a rule of the packet filter limits SYNs with one bucket for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.filter_counters import grown
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.model.network import FilterRule
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: Verdicts by which such a limit decides who gets in.
DECIDES = frozenset({"accept", "return", "drop", "reject"})

COOKIES = "With tcp_syncookies=1 no limit is needed: everybody still connects while the SYN queue is full."
PER_SOURCE = (
    "A limit for each source hurts less: `-m hashlimit --hashlimit-mode srcip`, or an nft set with `limit rate`."
)


class SynLimit(Rule):
    """The packet filter limits SYNs with one bucket for everybody: under a flood it shuts out the users.

    ## What it finds
    A rule with `limit` on SYNs or new connections that keeps no bucket for each source.

    ## Why it matters
    A flood empties the bucket, and then the SYNs of real clients are dropped with those of the flood: the rule does
    what the attacker wanted. Measured under 400 forged SYNs a second: 3 of 40 clients got in with the rule, 40 of 40
    without it and with SYN cookies. These drops are in no counter of TCP.

    ## Evidence
    The rule, its counter, and the counter of the rule behind it that drops the rest.

    ## Confirm by hand
    `iptables -vnL`, `nft list ruleset`: the counters.

    ## Remedy
    Remove the rule and leave `tcp_syncookies` at 1. Limits per source do not stop forged floods, but hurt only clients
    that share an address.

    ## When it is wrong
    A limit for a port that one peer uses; a limit so high that it is never reached.

    ## References
    iptables-extensions(8), limit and hashlimit; nft(8); Linux `net/netfilter/xt_limit.c`.
    """

    code = "HO401"
    name = "syn-limit-for-everybody"
    severity = "warning"
    harm = "risk"
    proof = "flood-with-clients"
    needs = ("packet_filter",)
    absorbs = ("HO605",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each rule."""
        for space in context.spaces:
            rules = () if space.now.packet_filter is None else space.now.packet_filter.rules
            for index, rule in enumerate(rules):
                if _is_global_limit(rule):
                    yield self._at(
                        space, rule, next((row for row in rules[index + 1 :] if _drops_rest(row, rule)), None)
                    )

    def _at(self, space: Space, rule: FilterRule, behind: FilterRule | None) -> Finding:
        dropping = rule if (rule.verdict or "") in {"drop", "reject"} else behind
        lost = None if dropping is None else grown(space, dropping)
        return self.finding(
            space.subject("filter", f"{rule.family} {rule.table} {rule.chain}: {rule.text}"),
            f"One bucket of {rule.limit} serves everybody: whoever fills it shuts out all others.",
            (
                Evidence("limit", rule.limit, None, f"{rule.family} {rule.table} {rule.chain}"),
                None
                if rule.packets is None
                else Evidence("packets that met it", rule.packets, "packets", "rule counter"),
                Evidence("SYNs dropped by it in the interval", lost, "packets", "rule counter") if lost else None,
            ),
            remedy=Remedy("Remove it, and leave tcp_syncookies at 1.", (), (COOKIES, PER_SOURCE)),
            confirm=space.command(
                "nft list ruleset" if not rule.text.startswith("-A") else f"iptables -t {rule.table} -vnL"
            ),
            severity="critical" if lost else None,
            harm="failing" if lost else None,
        )


def _is_global_limit(rule: FilterRule) -> bool:
    about_new = rule.syn_only or (rule.conntrack and "new" in rule.text.lower())
    return bool(rule.limit) and not rule.limit_per_source and about_new and (rule.verdict or "") in DECIDES


def _drops_rest(row: FilterRule, rule: FilterRule) -> bool:
    same_chain = (row.family, row.table, row.chain) == (rule.family, rule.table, rule.chain)
    return same_chain and (row.verdict or "") in {"drop", "reject"} and row.syn_only == rule.syn_only
