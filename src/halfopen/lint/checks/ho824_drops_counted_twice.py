"""HO824: ListenDrops and ListenOverflows are added."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check
from halfopen.lint.promql import selectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

PREFIX = "node_netstat_TcpExt_Listen"
_ADDED = re.compile(r"[\s)]*\+\s*(?:(?:rate|irate|increase|sum|max|avg|delta)\s*(?:by\s*\([^)]*\)\s*)?\(\s*)*")


class DropsCountedTwice(Check):
    """`ListenDrops` already holds `ListenOverflows`.

    ## What it finds
    Expressions that add the two.

    ## Why it matters
    A full accept queue raises both by one. Their sum counts it twice; what is interesting is the difference: drops
    for another reason.

    ## Evidence
    The expression.

    ## Confirm by hand
    `nstat -az TcpExtListenDrops TcpExtListenOverflows` while a queue overflows.

    ## Remedy
    Use `ListenDrops` for all drops, `ListenOverflows` for those of the accept queue, and their difference for the
    rest.

    ## When it is wrong
    Never.

    ## References
    Linux `net/ipv4/tcp_ipv4.c`.
    """

    code = "HO824"
    name = "drops-counted-twice"
    severity = "warning"
    harm = "untidy"
    proof = "accept-queue-overflow"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, query in context.queries():
            found = {selector.metric: selector for selector in selectors(query.text)}
            drops, overflows = found.get(f"{PREFIX}Drops"), found.get(f"{PREFIX}Overflows")
            if drops is None or overflows is None:
                continue
            first, second = sorted((drops, overflows), key=lambda selector: selector.offset)
            if _ADDED.fullmatch(query.text[first.end : second.offset]):
                yield self.at(
                    document,
                    query.place(first.offset),
                    "ListenDrops + ListenOverflows",
                    "ListenDrops already holds ListenOverflows: an overflow is counted twice",
                    "use ListenDrops alone, or their difference for drops of another cause",
                )
