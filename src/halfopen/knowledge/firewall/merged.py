"""What nft and both back ends of iptables print, as one packet filter. Pure.

iptables-nft keeps its rules in nftables, in tables and chains of iptables' names. nft shows them in its own words;
where iptables' own text of such a table is there as well, that one counts, and no rule is told twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.iptables_rule import BUILT_IN_HOOKS
from halfopen.knowledge.firewall.ruleset import Ruleset
from halfopen.model.network import PacketFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from halfopen.model.network import FilterChain, FilterRule

RULES_MAX = 5000
_IPTABLES_TABLES = frozenset({"filter", "nat", "mangle", "raw", "security"})

Table = tuple[str, str]
"""Family and name."""


def managed_by_iptables(nft: Ruleset) -> set[Table]:
    """Tables of nftables that iptables-nft made: iptables' families, tables and chains."""
    return {
        (chain.family, chain.table)
        for chain in (placed.chain for placed in nft.chains)
        if chain.family in {"ip", "ip6"} and chain.table in _IPTABLES_TABLES and chain.name in BUILT_IN_HOOKS
    }


def merge(nft: Ruleset, by_iptables: Iterable[Ruleset] = (), legacy: Iterable[Ruleset] = ()) -> PacketFilter:
    """One packet filter of the texts of nft, iptables-nft-save (both families) and iptables-legacy-save (both)."""
    saved, old = list(by_iptables), [ruleset for ruleset in legacy if in_use(ruleset)]
    managed = managed_by_iptables(nft)
    replaced = managed & {_table(placed.chain) for each in saved for placed in each.chains}
    own = _of_tables(nft, lambda table: table not in replaced)
    # iptables-nft-save prints tables that nft's own rules happen to share a name with, as if they were its own.
    kept = [own, *(_of_tables(each, replaced.__contains__) for each in saved), *old]
    rules = [placed.rule for each in kept for placed in each.rules]
    by_nft = _of_tables(own, lambda table: table not in managed)
    found = {"nftables": by_nft.chains, "iptables-nft": managed, "iptables-legacy": old}
    return PacketFilter(
        backends=tuple(name for name, used in found.items() if used),
        chains=tuple(placed.chain for each in kept for placed in each.chains),
        rules=tuple(rules[:RULES_MAX]),
        rules_left_out=max(0, len(rules) - RULES_MAX),
    )


def in_use(ruleset: Ruleset) -> bool:
    """Whether it does anything: the kernel keeps empty tables with policy accept once somebody has looked at them."""
    return bool(ruleset.rules) or any(placed.chain.policy == "drop" for placed in ruleset.chains)


def _of_tables(ruleset: Ruleset, wanted: Callable[[Table], bool]) -> Ruleset:
    return Ruleset(
        tuple(placed for placed in ruleset.chains if wanted(_table(placed.chain))),
        tuple(placed for placed in ruleset.rules if wanted(_table(placed.rule))),
    )


def _table(chain: FilterChain | FilterRule) -> Table:
    return chain.family, chain.table
