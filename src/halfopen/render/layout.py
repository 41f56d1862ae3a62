"""Lines, tables and colour for a terminal, in as little code as the screens need.

Own code instead of a library: the whole process competes with ``tcpdump`` on run time, and importing a layout library
costs more than drawing the screen. Colour only repeats what the words say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.model.quantity import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Narrower terminals get this layout and fold it themselves; wider ones leave the rest empty, since long lines are
#: hard to follow.
WIDTH_MIN, WIDTH_MAX = 60, 120

_GAP = "  "
#: Narrower than this, cut words say nothing any more.
_WORDS_MIN = 12
_CODES = {"bad": "1;31", "warn": "33", "good": "32", "dim": "2", "head": "1"}
_NUMBER_SPACE = re.compile(
    r"(?<=\d) (?=\d{3}\b)|(?<=\d) (?=(?:%|ns|µs|ms|s|min|h|d|k|M|G|B|kB|MB|GB|TB)\b)|(?<=\d) (?=%)"
)

_CODE = re.compile(r"`[^`]*`")


def clamp(width: int) -> int:
    """``width`` within what the screens are made for."""
    return max(WIDTH_MIN, min(WIDTH_MAX, width))


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours text, or leaves it alone."""

    on: bool

    def __call__(self, role: str, text: str) -> str:
        """``text`` in the colour of ``role``: ``bad``, ``warn``, ``good``, ``dim``, ``head``, or "" for none."""
        code = _CODES.get(role) if self.on and text else None
        return f"\x1b[{code}m{text}\x1b[0m" if code else text


def wrap(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """``text`` folded at blanks, never inside a quantity or a command; a longer word stays whole."""
    rest = " " * len(first) if rest is None else rest
    lines: list[str] = []
    line, empty = first, True
    whole = _CODE.sub(lambda match: match[0].replace(" ", "\xa0"), text)
    for word in _NUMBER_SPACE.sub("\xa0", whole).split(" "):
        if not empty and len(line) + 1 + len(word) > width:
            lines.append(line.rstrip(" "))
            line, empty = rest, True
        line, empty = (line + word if empty else f"{line} {word}"), False
    return [part.replace("\xa0", " ") for part in [*lines, line]]


def bar(part: int, whole: int, cells: int) -> str:
    """A bar of plain characters; whatever is not nothing is at least one cell."""
    return "#" * (max(1, cells * part // whole) if part and whole else 0)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    right: bool = False
    keep: int = 0
    """The columns with the lowest number go first when the terminal is narrow; 0 stays."""
    words: int = 0
    """Words that may lose their end, down to this width, before any column goes."""
    shrink: int = 0
    """May lose its middle, down to this width, when letting columns go was not enough."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Text with a colour; plain strings will do where there is none."""

    text: str
    role: str = ""


def table(
    columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]], width: int, paint: Paint, indent: str = "  "
) -> list[str]:
    """Aligned lines under a dim title line (no title line when all titles are empty)."""
    cells = [[item if isinstance(item, Cell) else Cell(item) for item in row] for row in rows]
    widths = [_width(column, [row[i].text for row in cells]) for i, column in enumerate(columns)]
    shown = _fit(columns, widths, width - len(indent))
    lines = []
    if any(columns[i].title for i in shown):
        titles = _GAP.join(_align(columns[i].title, widths[i], right=columns[i].right) for i in shown)
        lines.append(paint("dim", (indent + titles).rstrip()))
    for row in cells:
        texts = [_align(_cut(row[i].text, widths[i], columns[i]), widths[i], right=columns[i].right) for i in shown]
        lines.append(_line(texts, [row[i].role for i in shown], paint, indent))
    return lines


def _line(texts: list[str], roles: Sequence[str], paint: Paint, indent: str) -> str:
    # Blanks at the end go before the colour comes, which would hide them from rstrip().
    while texts and not texts[-1].strip():
        texts.pop()
    if texts:
        texts[-1] = texts[-1].rstrip()
    return indent + _GAP.join(paint(role, text) for role, text in zip(roles, texts, strict=False))


def _width(column: Column, texts: list[str]) -> int:
    """As wide as its longest cell; nothing, when no cell says anything."""
    if all(text in {"", UNKNOWN} for text in texts):
        return 0
    return max(len(column.title), *map(len, texts))


def _fit(columns: Sequence[Column], widths: list[int], width: int) -> list[int]:
    """The columns that fit; narrows others in ``widths``."""
    shown = [i for i in range(len(columns)) if widths[i]]

    def excess() -> int:
        return sum(widths[i] for i in shown) + len(_GAP) * (len(shown) - 1) - width

    for i in shown:
        if columns[i].words and excess() > 0:
            widths[i] = max(min(widths[i], columns[i].words), widths[i] - excess())
    while excess() > 0 and (optional := [i for i in shown if columns[i].keep]):
        shown.remove(min(optional, key=lambda i: columns[i].keep))
    for narrowest in ("words", "shrink"):
        for i in shown:
            limit = _WORDS_MIN if narrowest == "words" else columns[i].shrink
            if getattr(columns[i], narrowest) and excess() > 0:
                widths[i] = max(min(widths[i], limit), widths[i] - excess())
    return shown


def _align(text: str, width: int, *, right: bool) -> str:
    return text.rjust(width) if right else text.ljust(width)


#: Between two ends in one cell, each of which keeps its begin and its end.
_ARROW = " → "
#: «2e3e]:49190»: what is kept of the end of something that loses its middle.
_END = 11


def _cut(text: str, width: int, column: Column) -> str:
    if len(text) <= width:
        return text
    if not column.words and _ARROW in text:
        one, _, other = text.partition(_ARROW)
        return _cut_both(one, other, width, column)
    tail = 0 if column.words else max(min(_END, width - 2), width // 2)
    return f"{text[: width - 1 - tail]}…{text[len(text) - tail :]}"


def _cut_both(one: str, other: str, width: int, column: Column) -> str:
    room = width - len(_ARROW)
    short = min(len(one), len(other))
    first = len(one) if len(one) == short <= room // 2 else room - min(len(other), max(room // 2, room - len(one)))
    return _cut(one, first, column) + _ARROW + _cut(other, room - first, column)
