"""HO601: the table of tracked connections is filling up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import share
from halfopen.rules.rule import Rule
from halfopen.rules.tracking import conntrack_evidence, larger_table, overflowing, stays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.model.network import Conntrack
    from halfopen.rules.context import Context

#: A quarter left: what node_exporter's own alert takes, and time to act.
FILLED_SHARE_MIN = 0.75


class ConntrackSmall(Rule):
    """The table of tracked connections is filling up.

    ## What it finds
    `nf_conntrack_count` at three quarters of `nf_conntrack_max` and more, without drops yet; of the entries only those
    that saw traffic in both directions, where they could be read.

    ## Why it matters
    When it is full of connections that saw traffic in both directions, new ones are dropped in silence, in and out.
    (Entries of a SYN flood are evicted, and do not block.)

    ## Evidence
    Count and limit; entries that cannot be evicted, where they could be read.

    ## Confirm by hand
    `sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max`.

    ## Remedy
    Raise the limit (256 bytes an entry), on the host: in containers it is read-only. Or track less: `notrack` for busy
    ports, shorter timeouts of established (5 days by default) and time_wait.

    ## When it is wrong
    A host that is full by design, with a limit that fits.

    ## References
    Documentation/networking/nf_conntrack-sysctl.rst; Linux `net/netfilter/nf_conntrack_core.c` `__nf_conntrack_alloc`,
    `early_drop`.
    """

    code = "HO601"
    name = "conntrack-table-small"
    severity = "warning"
    harm = "growing"
    needs = ("conntrack",)
    proof = "conntrack-full"

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            table = space.now.conntrack
            kept = stays(space)
            if table is None or not table.max or kept is None or overflowing(space):
                continue
            if kept < FILLED_SHARE_MIN * table.max:
                continue
            yield self.finding(
                space.whole(),
                f"{share(kept, table.max)} of the table of tracked connections is taken{_words(table)}",
                conntrack_evidence(space),
                remedy=larger_table(space),
                confirm=space.command("sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max"),
            )


def _words(table: Conntrack) -> str:
    if table.assured is None:
        return "; when it is full, new ones are dropped."
    return " by such as stay; when they fill it, new ones are dropped."
