"""HO825: a count of sockets without those of IPv6."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check
from halfopen.lint.promql import selectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class SockstatIpv4Only(Check):
    """`node_sockstat_TCP_inuse` counts IPv4 only.

    ## What it finds
    `node_sockstat_TCP_inuse` in an expression without `node_sockstat_TCP6_inuse`.

    ## Why it matters
    Servers that listen on `[::]` have all their connections in TCP6. `TCP_tw`, `TCP_alloc` and `TCP_orphan` count
    both.

    ## Evidence
    The expression.

    ## Confirm by hand
    `cat /proc/net/sockstat /proc/net/sockstat6`.

    ## Remedy
    Add `node_sockstat_TCP6_inuse`.

    ## When it is wrong
    On a host without IPv6.

    ## References
    Linux `net/ipv4/proc.c`, `sockstat_seq_show`.
    """

    code = "HO825"
    name = "sockstat-ipv4-only"
    severity = "notice"
    harm = "untidy"
    proof = "ipv6-beside-ipv4"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, query in context.queries():
            found = list(selectors(query.text))
            if any(selector.metric == "node_sockstat_TCP6_inuse" for selector in found):
                continue
            for selector in found:
                if selector.metric == "node_sockstat_TCP_inuse":
                    yield self.at(
                        document,
                        query.place(selector.offset),
                        selector.metric,
                        "it counts IPv4 only: connections to [::] listeners are in node_sockstat_TCP6_inuse",
                        "add node_sockstat_TCP6_inuse",
                    )
