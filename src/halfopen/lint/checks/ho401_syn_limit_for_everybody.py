"""HO401: a rate limit on SYNs that all clients share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.ruleset import is_of_another_protocol, looks_at_syns
from halfopen.lint.check import Check
from halfopen.model.finding import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.firewall.ruleset import Ruleset
    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding
    from halfopen.model.network import FilterRule

_TCP = re.compile(r"(?:-p|--protocol|--proto)[ =]tcp\b|\btcp dport\b", re.IGNORECASE)
_STATE = re.compile(r"state\b|\btcp flags\b|--tcp-flags|--syn\b", re.IGNORECASE)
_NEW = re.compile(r"(?:--(?:ct)?state|\bct state)\s+(?:\S*,)?\{?\s*new\b", re.IGNORECASE)


class SynLimitForEverybody(Check):
    """A limit on SYNs that is one bucket for everybody lets the attacker choose who gets in.

    ## What it finds
    Rules of iptables and nftables that admit new TCP connections up to a rate, with one bucket for all sources: `-m
    limit` with `--syn` or NEW, `limit rate` with SYN flags, `hashlimit` without srcip; limits of all packets to a port
    of TCP; in a chain that only SYNs jump to, any limit. Limits that only write a log are none, and neither are those
    of rules for named sources.

    ## Why it matters
    The flood takes the bucket, and real clients are dropped with it. In the experiment, under 1000 forged SYNs a
    second, at most half of the clients are served with a limit of 10 a second for all, and nearly all of them without
    it and with SYN cookies, which are on by default. The drops appear in no counter of TCP (experiment `filters`).

    ## Evidence
    The rule and its limit.

    ## Confirm by hand
    `nft list ruleset` or `iptables -nvxL`: the counters of the rules behind it.

    ## Remedy
    Delete a rule that drops what is above the limit; take the limit out of a rule that accepts what is below it, and
    delete the rule behind it that drops the rest of the SYNs. Against single noisy sources limit each of them: `-m
    hashlimit --hashlimit-name syns --hashlimit-mode srcip --hashlimit-above 30/sec -j DROP`, or `update @m { ip saddr
    limit rate over 30/second } drop`.

    ## When it is wrong
    On a port that a handful of known hosts use.

    ## References
    Linux `net/netfilter/xt_limit.c`.
    """

    code = "HO401"
    name = "syn-limit-for-everybody"
    severity = "warning"
    harm = "risk"
    proof = "flood-with-clients"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document in context.documents:
            of_syns = syn_chains(document.ruleset)
            for placed in document.ruleset.rules:
                rule = placed.rule
                if (
                    _limits_new_connections(rule, in_syn_chain=(rule.family, rule.table, rule.chain) in of_syns)
                    and not rule.limit_per_source
                    and rule.hook not in {"output", "postrouting"}
                ):
                    yield self.at(
                        document,
                        (placed.line, placed.column),
                        f"{rule.family} {rule.table} {rule.chain}",
                        f"the limit ({rule.limit}) is one bucket for everybody: a flood takes it, and "
                        "real clients are dropped",
                        _instead(rule),
                        kind="filter",
                        evidence=(Evidence("limit", rule.limit, source=f"{document.path}:{placed.line}"),),
                    )


def _instead(rule: FilterRule) -> str:
    """A rule that drops may go; one that accepts may be all that lets clients in, and only its limit goes."""
    what = "delete the rule" if rule.verdict in {"drop", "reject"} else "take the limit out of the rule"
    return f"{what}: SYN cookies do this without harm; or limit each source (hashlimit srcip, a dynamic set)"


def syn_chains(ruleset: Ruleset) -> frozenset[tuple[str, str, str]]:
    """Chains that only SYNs are sent to, whatever their own rules say: family, table and name."""
    of_syns: dict[tuple[str, str, str], bool] = {}
    for placed in ruleset.rules:
        rule = placed.rule
        verb, _, target = (rule.verdict or "").partition(" ")
        if verb in {"jump", "goto"}:
            chain = (rule.family, rule.table, target)
            of_syns[chain] = of_syns.get(chain, True) and looks_at_syns(rule)
    return frozenset(chain for chain, only in of_syns.items() if only)


def _limits_new_connections(rule: FilterRule, *, in_syn_chain: bool) -> bool:
    if rule.limit is None or rule.limit.endswith("connections") or rule.verdict not in _DECIDES:
        return False
    if any(not source.startswith("!") and source not in _ALL_SOURCES for source in rule.sources):
        return False  # for known hosts
    # What exceeds the limit is dropped by the rule itself (over … drop), or by what stands behind it (… accept).
    if rule.limit.startswith("over ") != (rule.verdict in {"drop", "reject"}):
        return False
    new = _NEW.search(rule.text) is not None and not is_of_another_protocol(rule)
    return looks_at_syns(rule) or new or in_syn_chain or _limits_a_port(rule)


def _limits_a_port(rule: FilterRule) -> bool:
    """Whether every packet to a port of TCP is counted, SYNs among them, whatever the state of its connection."""
    return bool(rule.ports) and _TCP.search(rule.text) is not None and _STATE.search(rule.text) is None


_ALL_SOURCES = frozenset({"0.0.0.0/0", "::/0"})
_DECIDES = frozenset({"accept", "return", "drop", "reject"})
