"""HO404: a limit on connections at a time that clients share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.firewall.ruleset import is_of_another_protocol
from halfopen.lint.check import Check
from halfopen.model.finding import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding
    from halfopen.model.network import FilterRule

#: Who shares the limit, and what to write instead.
BEHIND_NAT = (
    "all users behind one NAT, proxy or load balancer",
    "choose it by the largest NAT that users come from, and leave load balancers out",
)
EVERYBODY = (
    "all clients: whoever opens as many keeps everybody out",
    "limit each source (connlimit without --connlimit-mask 0, a dynamic set by ip saddr)",
)


class ConnectionLimitShared(Check):
    """A limit on connections at a time is shared: by all clients, or by those behind one address.

    ## What it finds
    Rules of iptables and nftables that drop or reject connections above a number: `connlimit`, `ct count over`.

    ## Why it matters
    Without a bucket for each source (`--connlimit-mask 0`, `--connlimit-daddr`, `ct count` outside a set) whoever opens
    that many keeps everybody else out. With one, the users behind one NAT, proxy or load balancer share it. Either way
    the drops appear in no counter of TCP, and dropped clients see a timeout.

    ## Evidence
    The rule and its limit.

    ## Confirm by hand
    `nft list ruleset` or `iptables -nvxL`: the counter of the rule.

    ## Remedy
    Limit each source, high enough for the largest NAT that users come from; leave load balancers out by address; reject
    with `tcp-reset` rather than drop, so that clients learn of it.

    ## When it is wrong
    On a port of one known peer, or where the number can never be reached by accident.

    ## References
    iptables-extensions(8), connlimit; nft(8), ct count.
    """

    code = "HO404"
    name = "connection-limit-shared"
    severity = "notice"
    harm = "risk"
    proof = "filters"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document in context.documents:
            for placed in document.ruleset.rules:
                rule = placed.rule
                if not _shuts_out(rule):
                    continue
                who, instead = BEHIND_NAT if rule.limit_per_source else EVERYBODY
                yield self.at(
                    document,
                    (placed.line, placed.column),
                    f"{rule.family} {rule.table} {rule.chain}",
                    f"the limit ({rule.limit}) is shared by {who}",
                    instead,
                    kind="filter",
                    evidence=(Evidence("limit", rule.limit, source=f"{document.path}:{placed.line}"),),
                    severity=None if rule.limit_per_source else "warning",
                )


def _shuts_out(rule: FilterRule) -> bool:
    """Whether what exceeds a number of connections is dropped, of clients that are not named one by one."""
    limit = rule.limit or ""
    counts = limit.startswith("over ") and limit.endswith(" connections")
    comes_in = rule.hook not in {"output", "postrouting"}
    everybody = not rule.sources and not is_of_another_protocol(rule)
    return counts and comes_in and everybody and rule.verdict in {"drop", "reject"}
