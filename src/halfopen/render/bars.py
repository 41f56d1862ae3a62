"""A number for each of several cases as bars, as SVG, readable on light and dark ground."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from halfopen.model.quantity import grouped

if TYPE_CHECKING:
    from halfopen.model.experiment import Bars

_WIDTH, _TOP, _BAR, _GAP, _BOTTOM = 760, 40, 18, 26, 16
#: About so wide is a letter.
_LETTER = 7
_LEFT_MIN, _LEFT_MAX, _RIGHT = 120, 420, 90
_GREY, _BLUE = "#7a7a7a", "#2f7ed8"


def render_bars(bars: Bars) -> str:
    """The figure: lengths from 0, each with its number."""
    height = _TOP + _GAP * len(bars.bars) + _BOTTOM
    most = max((value for _, value in bars.bars), default=0) or 1
    left = min(_LEFT_MAX, max(_LEFT_MIN, _LETTER * max((len(case) for case, _ in bars.bars), default=0)))
    title = f"{bars.title}, {bars.unit}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-size="12"',
        f' font-family="sans-serif" role="img" aria-label="{escape(title)}">',
        f'<text x="16" y="20" font-size="14" fill="{_GREY}">{escape(title)}</text>',
        *(_bar(case, value, _TOP + _GAP * at, left, value / most) for at, (case, value) in enumerate(bars.bars)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bar(case: str, value: float, y: int, left: int, share: float) -> str:
    width = round(max(share, 0) * (_WIDTH - left - _RIGHT), 1)
    number = grouped(int(value)) if value == int(value) else f"{value:.3g}"
    return (
        f'<g fill="{_GREY}"><text x="{left - 8}" y="{y + 13}" text-anchor="end">{escape(case)}</text>'
        f'<text x="{left + width + 6}" y="{y + 13}">{number}</text></g>'
        f'<rect x="{left}" y="{y}" width="{width}" height="{_BAR}" fill="{_BLUE}"/>'
    )
