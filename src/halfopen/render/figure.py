"""A line chart as SVG: numbers over one other number, readable on light and dark ground, without a font or a script."""

from __future__ import annotations

from html import escape
from math import floor, log10
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.experiment import Series

_WIDTH, _HEIGHT = 640, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 36, 48
#: About so many lines across.
_LINES = 4


def render_figure(series: Series) -> str:
    """The chart; both axes begin at 0 or below it, and are named with their units."""
    x_ticks = ticks([x for x, _ in series.points])
    y_ticks = ticks([y for _, y in series.points])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="12"',
        f' font-family="sans-serif" role="img" aria-label="{escape(series.title)}">',
        # One grey has enough contrast on white and on black.
        f'<g fill="#7a7a7a" stroke="none"><text x="{_LEFT}" y="20" font-size="14">{escape(series.title)}</text>',
        *(_label(_x(tick, x_ticks), _HEIGHT - _BOTTOM + 18, tick, "middle") for tick in x_ticks),
        *(_label(_LEFT - 8, _y(tick, y_ticks) + 4, tick, "end") for tick in y_ticks),
        f'<text x="{_WIDTH - _RIGHT}" y="{_HEIGHT - 10}" text-anchor="end">{escape(series.x)}</text>',
        f'<text x="{_WIDTH - _RIGHT}" y="20" text-anchor="end">{escape(series.y)}</text></g>',
        '<g stroke="#7a7a7a" stroke-opacity="0.4">',
        *(_rule(_y(tick, y_ticks)) for tick in y_ticks),
        "</g>",
        f'<polyline fill="none" stroke="#2f7ed8" stroke-width="2" points="{_points(series, x_ticks, y_ticks)}"/>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def ticks(values: list[float]) -> list[float]:
    """Round numbers from 0, or below the least value, to at or above the greatest."""
    low, high = min(0.0, *values), max(values)
    rough = ((high - low) or 1.0) / _LINES
    power = 10.0 ** floor(log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = int(low // step)
    marks = [first * step]
    while marks[-1] < high:
        marks.append((first + len(marks)) * step)
    return marks if len(marks) > 1 else [marks[0], marks[0] + step]


def _share(value: float, marks: list[float]) -> float:
    return (value - marks[0]) / (marks[-1] - marks[0])


def _x(value: float, marks: list[float]) -> float:
    return round(_LEFT + _share(value, marks) * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(value: float, marks: list[float]) -> float:
    return round(_HEIGHT - _BOTTOM - _share(value, marks) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _points(series: Series, x_ticks: list[float], y_ticks: list[float]) -> str:
    return " ".join(f"{_x(x, x_ticks)},{_y(y, y_ticks)}" for x, y in series.points)


def _label(x: float, y: float, value: float, anchor: str) -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{value:g}</text>'


def _rule(y: float) -> str:
    return f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
