"""What nft files say once and use by name: ``define rate = 10/second`` and ``limit syns { rate 10/second }``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.knowledge.firewall.nft_words import Word

VALUE_MAX = 2000
"""Words of one value; a longer one stays a name."""
GROWTH_MAX = 100_000
"""Words that names may add to a file: values that are made of values grow without end."""
_DEFINES = frozenset({"define", "redefine"})


def with_values(words: Sequence[Word]) -> list[Word]:
    """The words with the values in place of the names, each at the place of its name; definitions are left out."""
    return list(_limits(list(_defined(words))))


def _defined(words: Sequence[Word]) -> Iterator[Word]:
    values: dict[str, list[Word]] = {}
    at, added = 0, 0
    while at < len(words):
        word = words[at]
        begins = at == 0 or words[at - 1].ends or words[at - 1].is_mark("{")
        if begins and word.text in _DEFINES and at + 2 < len(words) and words[at + 2].is_mark("="):
            end = _end(words, at + 3)
            value = [inner for one in words[at + 3 : end] for inner in values.get(one.text, [one])]
            # What is given as a list with line ends in it is one statement where it is used.
            values[f"${words[at + 1].text}"] = [one for one in value if not one.ends][: VALUE_MAX + 1]
            at = end
            continue
        value = [] if word.quoted else values.get(word.text, [])
        if value and len(value) <= VALUE_MAX and added + len(value) <= GROWTH_MAX:
            added += len(value)
            yield from _placed(value, word)
        else:
            yield word
        at += 1


def _end(words: Sequence[Word], at: int) -> int:
    """Where the statement ends; brackets may hold line ends."""
    depth = 0
    while at < len(words) and not (depth <= 0 and words[at].ends):
        depth += words[at].is_mark("{") - words[at].is_mark("}")
        at += 1
    return at


def _limits(words: list[Word]) -> Iterator[Word]:
    """``limit name syns`` becomes ``limit rate 10/second``."""
    bodies: dict[str, list[Word]] = {}
    at, added = 0, 0
    while at < len(words):
        yield words[at]
        named = [word.text for word in words[at : at + 3]]
        if len(named) == 3 and named[0] == "limit" and not words[at].quoted:
            if words[at + 2].is_mark("{"):
                end = _end(words, at + 2)
                close = next((place for place in range(at + 3, end) if words[place].is_mark("}")), end)
                bodies.setdefault(named[1], [word for word in words[at + 3 : close] if not word.ends][:VALUE_MAX])
            elif named[1] == "name" and named[2] in bodies and added < GROWTH_MAX:
                added += len(bodies[named[2]])
                yield from _placed(bodies[named[2]], words[at + 2])
                at += 2
        at += 1


def _placed(value: Sequence[Word], name: Word) -> Iterator[Word]:
    for word in value:
        yield replace(word, line=name.line, column=name.column, start=name.start, end=name.end)
