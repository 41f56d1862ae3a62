"""HO401: a rule of the packet filter limits SYNs with one bucket for everybody."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.ruleset import looks_at_syns
from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.filter_conditions import Packet
from halfopen.rules.filter_counters import grown
from halfopen.rules.filter_matching import matches
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.model.network import FilterRule
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: A limit shuts out users where what exceeds it is dropped: by the rule itself, or by what stands behind it.
DROPS = frozenset({"drop", "reject"})
ADMITS = frozenset({"accept", "return"})
_ANY = Packet(None, None, None)

COOKIES = "With tcp_syncookies=1 no limit is needed: everybody still connects while the SYN queue is full."
PER_SOURCE = (
    "A limit for each source hurts less: `-m hashlimit --hashlimit-mode srcip`, or an nft set with `limit rate`."
)


class SynLimit(Rule):
    """The packet filter limits SYNs with one bucket for everybody: under a flood it shuts out the users.

    ## What it finds
    A rule with `limit` on SYNs or new connections that keeps no bucket for each source, where what exceeds the limit is
    dropped: by the rule itself (`over … drop`), by a rule behind it, or by the policy of the chain.

    ## Why it matters
    A flood empties the bucket, and then the SYNs of real clients are dropped with those of the flood: the rule does
    what the attacker wanted. In the experiment, under 1000 forged SYNs a second, at most half of the clients are
    served with a limit of 10 a second for all, and nearly all of them without it and with SYN cookies. These drops are
    in no counter of TCP (experiment `filters`).

    ## Evidence
    The rule, its counter, and the counter of the rule behind it that drops the rest.

    ## Confirm by hand
    `iptables -vnL`, `nft list ruleset`: the counters.

    ## Remedy
    Remove a rule that drops what is above the limit; take the limit out of one that accepts what is below it, which
    may be all that lets clients in. Leave `tcp_syncookies` at 1. Limits per source do not stop forged floods, but hurt
    only clients that share an address.

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
                if not _is_global_limit(rule):
                    continue
                behind = next((row for row in rules[index + 1 :] if _drops_rest(row, rule)), None)
                if _drops(rule) or behind is not None or _policy_drops(space, rule):
                    yield self._at(space, rule, behind)

    def _at(self, space: Space, rule: FilterRule, behind: FilterRule | None) -> Finding:
        dropping = rule if _drops(rule) else behind
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
            remedy=Remedy(f"{_what(rule)}, and leave tcp_syncookies at 1.", (), (COOKIES, PER_SOURCE)),
            confirm=space.command(
                "nft list ruleset" if not rule.text.startswith("-A") else f"iptables -t {rule.table} -vnL"
            ),
            severity="critical" if lost else None,
            harm="failing" if lost else None,
        )


def _is_global_limit(rule: FilterRule) -> bool:
    """Whether it admits up to a rate, or drops above one; the other two pairings shut nobody out."""
    about_new = looks_at_syns(rule) or (rule.conntrack and "new" in rule.text.lower())
    limit, verdict = rule.limit or "", rule.verdict or ""
    decides = verdict in (DROPS if limit.startswith("over ") else ADMITS)
    return bool(limit) and not rule.limit_per_source and about_new and decides


def _what(rule: FilterRule) -> str:
    """A rule that accepts up to the limit may be the only one that lets clients in."""
    return "Remove it" if _drops(rule) else "Take the limit out of it"


def _drops(rule: FilterRule) -> bool:
    return (rule.verdict or "") in DROPS


def _drops_rest(row: FilterRule, rule: FilterRule) -> bool:
    """Whether ``row`` drops SYNs that exceeded the limit of ``rule``."""
    same_chain = (row.family, row.table, row.chain) == (rule.family, rule.table, rule.chain)
    same_ports = not row.ports or set(row.ports) == set(rule.ports)
    return same_chain and same_ports and _drops(row) and row.limit is None and matches(replace(row, ports=()), _ANY)


def _policy_drops(space: Space, rule: FilterRule) -> bool:
    """Whether a chain of the rule's table drops what no rule of it accepted."""
    chains = () if space.now.packet_filter is None else space.now.packet_filter.chains
    return any(
        chain.policy == "drop" and rule.hook in {None, chain.hook}
        for chain in chains
        if (chain.family, chain.table) == (rule.family, rule.table)
    )
