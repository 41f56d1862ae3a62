"""Tables of ``/proc/net/stat``: a line of names, then a line of hexadecimal numbers for each processor. Pure."""

from __future__ import annotations

NOT_PER_CPU = frozenset({"entries"})
"""Of the whole namespace, and repeated in every line (nf_conntrack_standalone.c, ct_cpu_seq_show)."""


def parse_summed(text: str) -> dict[str, int]:
    """The sum over processors of each column. Raises ValueError when a value is no hexadecimal number."""
    lines = text.split("\n")
    names = lines[0].split()
    sums = dict.fromkeys((name for name in names if name not in NOT_PER_CPU), 0)
    for line in lines[1:]:
        for name, value in zip(names, line.split(), strict=False):
            if name in sums:
                sums[name] += int(value, 16)
    return sums
