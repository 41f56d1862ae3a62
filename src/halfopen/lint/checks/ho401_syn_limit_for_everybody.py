"""HO401: a rate limit on SYNs that all clients share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.ruleset import is_of_another_protocol, looks_at_syns
from halfopen.lint.check import Check
from halfopen.model.finding import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding
    from halfopen.model.network import FilterRule

_NEW = re.compile(r"(?:--(?:ct)?state|\bct state)\s+(?:\S*,)?\{?\s*new\b", re.IGNORECASE)


class SynLimitForEverybody(Check):
    """A limit on SYNs that is one bucket for everybody lets the attacker choose who gets in.

    ## What it finds
    Rules of iptables and nftables that admit new TCP connections up to a rate, with one bucket for all sources: `-m
    limit` with `--syn` or NEW, `limit rate` with SYN flags, `hashlimit` without srcip. Limits that only write a log
    are none.

    ## Why it matters
    The flood takes the bucket, and real clients are dropped with it. Measured: of 40 clients 40 connected without the
    rule, and 3 with it, under a flood of 400 SYNs a second. The drops appear in no counter of TCP. SYN cookies, on by
    default, do the job without such a rule.

    ## Evidence
    The rule and its limit.

    ## Confirm by hand
    `nft list ruleset` or `iptables -nvxL`: the counters of the rules behind it.

    ## Remedy
    Delete the rule. Against single noisy sources limit each of them: `-m hashlimit --hashlimit-mode srcip
    --hashlimit-above 30/sec`, or `update @m { ip saddr limit rate over 30/second } drop`.

    ## When it is wrong
    On a port that a handful of known hosts use.

    ## References
    Linux `net/netfilter/xt_limit.c`.
    """

    code = "HO401"
    name = "syn-limit-for-everybody"
    severity = "warning"
    harm = "risk"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document in context.documents:
            for placed in document.ruleset.rules:
                rule = placed.rule
                if (
                    _limits_new_connections(rule)
                    and not rule.limit_per_source
                    and rule.hook not in {"output", "postrouting"}
                ):
                    yield self.at(
                        document,
                        (placed.line, placed.column),
                        f"{rule.family} {rule.table} {rule.chain}",
                        f"the limit ({rule.limit}) is one bucket for everybody: a flood takes it, and "
                        "real clients are dropped",
                        "delete the rule: SYN cookies do this without harm; or limit each source "
                        "(hashlimit srcip, a dynamic set)",
                        kind="filter",
                        evidence=(Evidence("limit", rule.limit, source=f"{document.path}:{placed.line}"),),
                    )


def _limits_new_connections(rule: FilterRule) -> bool:
    if rule.limit is None or rule.limit.endswith("connections") or rule.verdict not in _DECIDES:
        return False
    # What exceeds the limit is dropped by the rule itself (over … drop), or by what stands behind it (… accept).
    if rule.limit.startswith("over ") != (rule.verdict in {"drop", "reject"}):
        return False
    new = _NEW.search(rule.text) is not None and not is_of_another_protocol(rule)
    return looks_at_syns(rule) or new


_DECIDES = frozenset({"accept", "return", "drop", "reject"})
