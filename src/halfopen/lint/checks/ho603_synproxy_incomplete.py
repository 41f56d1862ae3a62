"""HO603: SYNPROXY without what it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

LOOSE = "net.netfilter.nf_conntrack_tcp_loose"


class SynproxyIncomplete(Check):
    """SYNPROXY needs SYNs that are not tracked, and strict tracking.

    ## What it finds
    A rule with SYNPROXY in a text that has no `notrack` rule for SYNs, or beside `nf_conntrack_tcp_loose = 1`.

    ## Why it matters
    SYNPROXY answers SYNs that connection tracking has not taken. Without `CT --notrack` (or `notrack`) in the raw
    table it never sees one, and with `nf_conntrack_tcp_loose = 1`, the default, the client's ACK passes as a
    connection that began earlier.

    ## Evidence
    The rule.

    ## Confirm by hand
    `cat /proc/net/stat/synproxy`: syn_received stays 0.

    ## Remedy
    Add a rule with notrack for the SYNs of that port to the raw table (hook prerouting, priority raw), and set
    `net.netfilter.nf_conntrack_tcp_loose = 0`.

    ## When it is wrong
    When the notrack rule is in another file.

    ## References
    man iptables-extensions, SYNPROXY.
    """

    code = "HO603"
    name = "synproxy-incomplete"
    severity = "warning"
    harm = "failing"
    proof = "synproxy-settings"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        tracked = not any(
            rule.rule.verdict == "notrack" for document in context.documents for rule in document.ruleset.rules
        )
        loose = context.sets(LOOSE) and context.value(LOOSE) != 0
        for document in context.documents:
            for placed in document.ruleset.rules:
                if placed.rule.verdict == "synproxy" and (tracked or loose):
                    missing = "no rule exempts SYNs from tracking (notrack)" if tracked else f"{LOOSE} is not 0"
                    yield self.at(
                        document,
                        (placed.line, placed.column),
                        f"{placed.rule.family} {placed.rule.table} {placed.rule.chain}",
                        f"SYNPROXY does not work like this: {missing}",
                        "add a notrack rule for these SYNs at priority raw, and set nf_conntrack_tcp_loose = 0",
                        kind="filter",
                    )
