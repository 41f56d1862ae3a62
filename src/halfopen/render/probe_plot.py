"""The live plot of ``halfopen probe --watch``: one column a connect, the newest on the right, on a logarithmic scale.

Logarithmic, because one lost SYN among connects of 300 µs is a thousand times as high, and both must be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

from halfopen.handshakes.probes.counts import ended, syns_lost
from halfopen.model.quantity import UNKNOWN, duration, endpoint
from halfopen.render.escape import escape_text
from halfopen.render.layout import Paint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.probe import ProbeResult, ProbeSummary

#: Eighths of a cell; the first one is the least that shows.
_BLOCKS = "▁▂▃▄▅▆▇█"
#: Cells of the scale at the left: «100 µs ┤».
_SCALE = 7
#: Rows of bars, an odd number: the middle one has a label.
HEIGHT_MIN, HEIGHT_MAX = 5, 11
#: Lines of a plot that are no bars: the title, the marks, the numbers, the counts.
AROUND = 4
WIDTH_MIN = 30


@dataclass(frozen=True, slots=True)
class Sample:
    """One connect, as the plot needs it."""

    connect_us: float | None
    """None: it failed."""
    again: bool = False
    """A SYN was sent again."""
    failure: str = ""
    """Why it failed, in a word: the error's name, or how it ended."""

    @classmethod
    def of(cls, result: ProbeResult) -> Sample:
        """What is drawn of a result."""
        if result.satisfied:
            return cls(result.handshake.connect_us, bool(result.syn_retransmissions))
        ending = "no data" if result.established else result.ending
        return cls(None, failure=result.handshake.errno or ending)


def columns(width: int) -> int:
    """How many connects fit into a plot of this width."""
    return max(width, WIDTH_MIN) - _SCALE - 2


def heights(places: int, rows: int) -> list[int]:
    """The rows of bars of each plot on a screen; 0 where there is no room: such a place gets its numbers only."""
    for shown in range(places, 0, -1):
        room = (rows - (AROUND - 1) * (places - shown)) // shown - AROUND
        if room >= HEIGHT_MIN:
            return [min(room - 1 + room % 2, HEIGHT_MAX)] * shown + [0] * (places - shown)
    return [0] * places


def plot(
    name: str, samples: Sequence[Sample], summary: ProbeSummary, size: tuple[int, int], paint: Paint | None = None
) -> list[str]:
    """The lines of one address.

    Args:
        name: the address, as it is to be called.
        samples: its connects, oldest first; the last ones that fit are drawn.
        summary: its numbers over the whole run.
        size: columns of the terminal, and rows of bars; 0 for the numbers alone.
        paint: colours.
    """
    paint = paint or Paint(on=False)
    width, height = max(size[0], WIDTH_MIN), size[1]
    shown = samples[-columns(width) :]
    lines = [paint("head", escape_text(name)[:width])]
    if height:
        lines += [*_bars(shown, height, paint), _marks(shown, paint)]
    return [*lines, _times(shown, summary, width), _counts(summary, width, paint)]


def title(name: str, address: str, port: int) -> str:
    """«example.com:443 at 192.0.2.1», once where the target is the address."""
    place = endpoint(address, port)
    return place if name == place else f"{name} at {address}"


def _bars(samples: Sequence[Sample], height: int, paint: Paint) -> list[str]:
    low, high = _range([sample.connect_us for sample in samples if sample.connect_us])
    levels = [_level(sample.connect_us, (low, high), height * len(_BLOCKS)) for sample in samples]
    labels = {0: high, (height - 1) // 2: (low * high) ** 0.5, height - 1: low}
    lines = []
    for row in range(height):
        beneath = (height - 1 - row) * len(_BLOCKS)
        cells = "".join(_cell(level - beneath) for level in levels)
        label = duration(labels[row]) if row in labels else ""
        lines.append(paint("dim", f"{label:>{_SCALE}} {'┤' if label else '│'}") + cells)
    return lines


def _cell(level: int) -> str:
    return " " if level <= 0 else _BLOCKS[min(level, len(_BLOCKS)) - 1]


def _range(known: Sequence[float]) -> tuple[float, float]:
    """Round numbers around what is shown, 1, 2 or 5 times a power of ten, the upper at least twice the lower."""
    if not known:
        return 100.0, 10_000.0
    scale = [step * 10.0**power for power in range(-1, 9) for step in (1, 2, 5)]
    low = max((mark for mark in scale if mark <= min(known)), default=scale[0])
    high = min((mark for mark in scale if mark >= max(known) and mark >= 2 * low), default=scale[-1])
    return low, high


def _level(value: float | None, bounds: tuple[float, float], levels: int) -> int:
    if value is None:
        return 0
    low, high = log10(bounds[0]), log10(bounds[1])
    return max(1, round((log10(max(value, bounds[0])) - low) / (high - low) * levels))


def _marks(samples: Sequence[Sample], paint: Paint) -> str:
    marks = "".join("x" if sample.connect_us is None else "r" if sample.again else " " for sample in samples)
    legend = paint("dim", f"{'':>{_SCALE}} └")
    painted = paint("bad" if "x" in marks else "warn", marks.rstrip())
    return legend + painted if painted else legend + "─" * len(samples)


def _times(samples: Sequence[Sample], summary: ProbeSummary, width: int) -> str:
    last = samples[-1] if samples else Sample(None, failure=UNKNOWN)
    parts = [f"last {last.failure or duration(last.connect_us)}"]
    if (times := summary.connect_us) is not None:
        parts += [f"p50 {duration(times.p50)}", f"p90 {duration(times.p90)}", f"p99 {duration(times.p99)}"]
        parts += [f"max {duration(times.max)}"]
    if summary.jitter_us is not None:
        parts.append(f"jitter {duration(summary.jitter_us)}")
    return _fitting(parts, width)


def _counts(summary: ProbeSummary, width: int, paint: Paint) -> str:
    parts = [*ended(summary), syns_lost(summary)]
    if summary.satisfied < summary.attempts:
        parts.append("x failed")
    if summary.syn_lost:
        parts.append("r SYN sent again")
    return paint("" if summary.satisfied == summary.attempts else "bad", _fitting(parts, width))


def _fitting(parts: list[str], width: int) -> str:
    """As many of the parts as fit on one line."""
    while len(parts) > 1 and len("  ".join(parts)) > width:
        parts = parts[:-1]
    return "  ".join(parts)[:width]
