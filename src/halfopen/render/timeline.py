"""Handshakes as lines with their packets, as SVG: the client's above the line, the server's below it.

The axis is logarithmic, since a handshake takes microseconds and what is sent again comes after seconds. One grey and
five colours have enough contrast on white and on black; letters say what colours say.
"""

from __future__ import annotations

from html import escape
from math import log10
from typing import TYPE_CHECKING

from halfopen.model.quantity import duration
from halfopen.render.words import OUTCOME_WORDS

if TYPE_CHECKING:
    from halfopen.model.experiment import Lane, Mark, Timeline

_WIDTH, _TOP, _LANE, _BOTTOM = 760, 60, 40, 64
_LEFT, _RIGHT = 260, 24
#: The begin of the axis: less than any packet takes from one namespace to another. The first packet stands there.
_BEGIN_S = 1e-6
_GREY = "#7a7a7a"
#: Letter, colour.
_PACKETS = {
    "SYN": ("S", "#2f7ed8"),
    "SYN-ACK": ("SA", "#2a9d5c"),
    "ACK": ("A", _GREY),
    "data": ("D", "#b07d12"),
    "FIN": ("F", "#a05fc0"),
    "RST": ("R", "#d9534f"),
    "ICMP": ("!", "#d9534f"),
}
#: Letters of a label that fit beside the lines.
_LABEL_MAX = 36
#: Letters closer than this would stand on one another.
_LETTER = 9.0


def render_timeline(timeline: Timeline) -> str:
    """The figure; every mark carries its time and packet as a tooltip."""
    height = _TOP + _LANE * len(timeline.lanes) + _BOTTOM
    bottom = height - _BOTTOM
    decades = _decades(timeline)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-size="12"',
        f' font-family="sans-serif" role="img" aria-label="{escape(timeline.title)}">',
        f'<g fill="{_GREY}"><text x="16" y="20" font-size="14">{escape(timeline.title)}</text>',
        *(_decade(at_s, decades, bottom) for at_s in decades),
        f'<text x="{_WIDTH - _RIGHT}" y="{bottom + 36}" text-anchor="end">since the first packet (logarithmic)</text>',
        f'<text x="16" y="{height - 8}">{escape(_LEGEND)}</text></g>',
        *(_lane(lane, _TOP + _LANE * number + _LANE / 2, decades) for number, lane in enumerate(timeline.lanes)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


_LEGEND = (
    "above the line: the client's, below: the server's.  S SYN, SA SYN-ACK, A ACK, D data, F FIN, R RST, ! ICMP error"
)


def _decades(timeline: Timeline) -> list[float]:
    """Powers of ten that hold every packet."""
    last = max((mark.at_s for lane in timeline.lanes for mark in lane.marks), default=0.0)
    marks = [_BEGIN_S]
    while marks[-1] < last or len(marks) < 3:
        marks.append(marks[-1] * 10)
    return marks


def _x(at_s: float, decades: list[float]) -> float:
    share = log10(max(at_s, _BEGIN_S) / decades[0]) / log10(decades[-1] / decades[0])
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _decade(at_s: float, decades: list[float], bottom: int) -> str:
    x, words = _x(at_s, decades), "0" if at_s == _BEGIN_S else duration(at_s * 1e6)
    rule = f'<line x1="{x}" x2="{x}" y1="{_TOP - 14}" y2="{bottom}" stroke="{_GREY}" stroke-opacity="0.3"/>'
    return f'{rule}<text x="{x}" y="{bottom + 16}" text-anchor="middle">{words}</text>'


def _lane(lane: Lane, y: float, decades: list[float]) -> str:
    label = lane.label if len(lane.label) <= _LABEL_MAX else f"{lane.label[: _LABEL_MAX - 1]}…"
    outcome = OUTCOME_WORDS.get(lane.outcome, lane.outcome)
    alike = f", one of {lane.alike}" if lane.alike > 1 else ""
    ends = _x(0, decades), _x(max((mark.at_s for mark in lane.marks), default=0.0), decades)
    return "\n".join(
        [
            f'<g fill="{_GREY}"><text x="16" y="{y - 2}">{escape(label)}</text>',
            f'<text x="16" y="{y + 12}" font-size="11">{escape(outcome + alike)}</text>',
            f'<line x1="{ends[0]}" x2="{ends[1]}" y1="{y}" y2="{y}" stroke="{_GREY}"/></g>',
            *_marks(lane, y, decades),
        ]
    )


def _marks(lane: Lane, y: float, decades: list[float]) -> list[str]:
    drawn = []
    lettered = {True: -_WIDTH, False: -_WIDTH}
    for mark in lane.marks:
        x = _x(mark.at_s, decades)
        with_letter = x - lettered[mark.from_client] >= _LETTER
        if with_letter:
            lettered[mark.from_client] = int(x)
        drawn.append(_mark(mark, x, y, with_letter=with_letter))
    return drawn


def _mark(mark: Mark, x: float, y: float, *, with_letter: bool) -> str:
    letter, color = _PACKETS.get(mark.packet, ("?", _GREY))
    tip = y - 7 if mark.from_client else y + 7
    at = y - 8 if mark.from_client else y + 17
    title = f"<title>{escape(mark.packet)} at {mark.at_s:.6f} s</title>"
    line = f'<line x1="{x}" x2="{x}" y1="{y}" y2="{tip}" stroke="{color}" stroke-width="2">{title}</line>'
    if not with_letter:
        return line
    return f'{line}<text x="{x}" y="{at}" font-size="10" fill="{color}" text-anchor="middle">{letter}</text>'
