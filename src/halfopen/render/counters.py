"""Kernel counters that moved, each with what it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.counters import COUNTERS
from halfopen.model.quantity import grouped, plural
from halfopen.render.layout import Paint, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping

_TITLE = "Kernel counters that moved"
_WHOSE = "in this network namespace meanwhile, whoever moved them"
_ROLES = {"loss": "warn", "sign": "", "ordinary": "dim"}


def moved_counters(deltas: Mapping[str, int], width: int, paint: Paint) -> list[str]:
    """A title, and each counter that ``knowledge.counters`` explains, losses first; the others are only counted."""
    known = [counter for counter in COUNTERS if counter.name in deltas]
    if not known:
        return []
    lines = [paint("head", _TITLE), *(paint("dim", line) for line in wrap(_WHOSE, width, "  "))]
    known.sort(key=lambda counter: tuple(_ROLES).index(counter.kind))
    numbers = {counter.name: f"+{grouped(deltas[counter.name])}" for counter in known}
    first, second = max(map(len, numbers)), max(map(len, numbers.values()))
    for counter in known:
        head = f"  {counter.name.ljust(first)}  {numbers[counter.name].rjust(second)}  "
        meaning = wrap(counter.meaning, width, head, " " * len(head))
        name = counter.name.ljust(first)
        lines += [meaning[0].replace(name, paint(_ROLES[counter.kind], name), 1), *meaning[1:]]
    others = len(deltas) - len(known)
    if others:
        say = "says" if others == 1 else "say"
        rest = f"and {plural(others, 'other')} that {say} nothing about handshakes (in the JSON output)"
        lines += [paint("dim", line) for line in wrap(rest, width, "  ")]
    return lines
