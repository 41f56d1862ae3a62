"""A distribution of latencies as lines of text: bins of 1, 2 and 5 times a power of ten, a bar each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import duration, grouped, share
from halfopen.render.layout import Cell, Column, Paint, bar, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Cells of the longest bar where there is room, and columns beside it.
_CELLS, _NUMBERS = 30, 38


def histogram(buckets: Iterable[tuple[float, int]], width: int, paint: Paint) -> list[str]:
    """A line for each bin from the first to the last that is not empty.

    Args:
        buckets: (upper bound in microseconds, count).
        width: columns.
        paint: the colours.
    """
    bins = binned(buckets)
    whole, most = sum(count for *_, count in bins), max((count for *_, count in bins), default=0)
    cells = max(1, min(_CELLS, width - _NUMBERS))
    rows: list[list[Cell | str]] = [
        [
            f"{duration(low)} to",
            duration(high),
            grouped(count),
            share(count, whole),
            Cell(bar(count, most, cells), "dim"),
        ]
        for low, high, count in bins
    ]
    right = Column("", right=True)
    return table([right, right, right, right, Column("", keep=1)], rows, width, paint)


def binned(buckets: Iterable[tuple[float, int]]) -> list[tuple[float, float, int]]:
    """(from, to, count), the upper bound within; empty bins in between are kept, so that a gap is seen."""
    counts = [(upper, count) for upper, count in buckets if count]
    if not counts:
        return []
    smallest, largest = min(counts)[0], max(counts)[0]
    bins: list[tuple[float, float, int]] = []
    low = 0.0
    for edge in _edges():
        if edge >= smallest:
            bins.append((low, edge, sum(count for upper, count in counts if low < upper <= edge)))
        low = edge
        if edge >= largest:
            return bins
    return bins


def _edges() -> Iterator[float]:
    """1 µs to 1000 s."""
    for power in range(10):
        for digit in (1, 2, 5):
            yield float(digit * 10**power)
