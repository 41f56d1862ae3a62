"""Percentiles by nearest rank: a value that was really measured, never one in between (docs/adr/0005-percentiles.md).

For the hundreds of values of a probe; captures are counted by the native core in bounded memory.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from halfopen.model.summary import Latency

if TYPE_CHECKING:
    from collections.abc import Iterable


def latency(values_us: Iterable[float]) -> Latency | None:
    """The distribution of some times in microseconds; None of none."""
    ordered = sorted(values_us)
    if not ordered:
        return None

    def rank(share: float) -> float:
        return ordered[max(ceil(share * len(ordered)), 1) - 1]

    return Latency(
        count=len(ordered),
        mean_us=sum(ordered) / len(ordered),
        min=ordered[0],
        p50=rank(0.50),
        p90=rank(0.90),
        p99=rank(0.99),
        max=ordered[-1],
        exact=True,
    )
