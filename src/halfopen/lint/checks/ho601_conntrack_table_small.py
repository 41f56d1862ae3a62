"""HO601: the table of tracked connections is made small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check
from halfopen.model.quantity import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEYS = ("net.netfilter.nf_conntrack_max", "net.nf_conntrack_max")
LOW = 65536
"""The kernel's own on a machine with more than 1 GB of memory (nf_conntrack_init_start)."""
TIME_WAIT_S = 120
"""How long connection tracking remembers a connection that was closed, unless it is told otherwise."""
HOPELESS_PER_S = 10
"""Closes a second that every server has."""


class ConntrackTableSmall(Check):
    """A small table of tracked connections drops new ones when it is full.

    ## What it finds
    Lines that set `nf_conntrack_max` below 65 536.

    ## Why it matters
    A connection that was closed stays in the table for 120 s. When the table is full of connections that saw traffic in
    both directions, new ones are dropped in silence, in and out; entries of a SYN flood are evicted, and do not block.

    ## Evidence
    The value in the file, and the closes a second that fill it (a 120th).

    ## Confirm by hand
    `conntrack -S`: `drop` and `early_drop`; the kernel's log: `nf_conntrack: table full, dropping packet`.

    ## Remedy
    Delete the line: the kernel sizes the table by its memory. An entry takes about 256 bytes.

    ## When it is wrong
    On a machine with very little memory, or few connections.

    ## References
    Documentation/networking/nf_conntrack-sysctl.rst; Linux `net/netfilter/nf_conntrack_core.c`, `early_drop`.
    """

    code = "HO601"
    name = "conntrack-table-small"
    severity = "notice"
    harm = "risk"
    proof = "conntrack-full"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that makes it so small."""
        for document, item in context.settings(*KEYS):
            # 0 is no limit.
            if item.number is None or not 0 < item.number < LOW:
                continue
            few = item.number < HOPELESS_PER_S * TIME_WAIT_S
            yield self.on(
                document,
                item,
                f"{grouped(item.number)} connections fill the table, closed ones for {TIME_WAIT_S} s: "
                f"{item.number / TIME_WAIT_S:.1f} a second are enough, and new ones are dropped",
                "delete the line: the kernel sizes the table by its memory",
                severity="warning" if few else None,
            )
