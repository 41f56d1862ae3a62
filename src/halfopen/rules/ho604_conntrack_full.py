"""HO604: connection tracking is full, and drops new connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.rule import Rule
from halfopen.rules.tracking import conntrack_evidence, dropped, larger_table, overflowing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class ConntrackFull(Rule):
    """Connection tracking is full: new connections, in and out, are dropped in silence.

    ## What it finds
    Packets dropped between two snapshots while the table was full or nearly so (nine tenths), or a table that is full
    of entries which cannot be evicted.

    ## Why it matters
    No SYN gets through any more, in either direction, except by chance; established connections go on. TCP counts
    nothing; the kernel's log says `nf_conntrack: table full, dropping packet`, at a limited rate.

    ## Evidence
    Count and limit, the statistics `drop` and `early_drop`, entries that are assured.

    ## Confirm by hand
    `conntrack -S` (`drop=`), `dmesg | grep conntrack`.

    ## Remedy
    Raise `nf_conntrack_max` at once, on the host. Then see what fills it: `conntrack -L -p tcp | awk '{print $4}' |
    sort | uniq -c`; `notrack` for busy ports; shorter timeouts.

    ## When it is wrong
    A table full of half-open entries, as under a SYN flood, is emptied by eviction, and drops nobody. With room in the
    table `drop=` counts other things (two packets that race for one entry), and nothing is found.

    ## References
    Linux `net/netfilter/nf_conntrack_core.c` `__nf_conntrack_alloc`; Documentation/networking/nf_conntrack-sysctl.rst.
    """

    code = "HO604"
    name = "conntrack-full"
    severity = "critical"
    harm = "failing"
    needs = ("conntrack",)
    proof = "conntrack-full"

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            if not overflowing(space):
                continue
            seen = bool(dropped(space))
            yield self.finding(
                space.whole(),
                "Connection tracking is full, and drops the packets of new connections in silence.",
                conntrack_evidence(space),
                remedy=larger_table(space),
                confirm=space.command("conntrack -S"),
                confidence="certain" if seen else "likely",
            )
