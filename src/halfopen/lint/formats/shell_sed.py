"""What ``sed -i`` writes into a file: the replacements of ``s/…/…/`` and the lines of ``a``, ``i`` and ``c``."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Command, Word

_IN_PLACE = re.compile(r"-[nErsz]*i.*|--in-place(?:=.*)?")
_SCRIPT_OPTION = re.compile(r"-[nErsz]*e|--expression")
#: The line that a command is for: a number, ``$``, a pattern, or two of them.
_ADDRESS = r"(?:(?:\d+|\$|/(?:[^/\\\n]|\\.)*/I?)(?:,(?:\d+|\$|/(?:[^/\\\n]|\\.)*/I?))?)?[ \t]*!?[ \t]*"
_REPLACES = r"s([^\w\s\\])(?:[^\\\n]|\\.)*?\1((?:[^\\\n]|\\.)*?)\1[gIpe\d]*"
_ADDS = r"[aic](?:[ \t]*\\\n?)?[ \t]*(.+)"
_COMMAND = re.compile(rf"[ \t;{{]*{_ADDRESS}(?:{_REPLACES}|{_ADDS})")
_BACK_REFERENCE = re.compile(r"(?<!\\)(?:\\\d|&)")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Inserted(NamedTuple):
    """A text that will stand in the file, and where it begins in the script."""

    text: str
    line: int
    column: int


def files(command: Command) -> tuple[Word, ...]:
    """The files that are changed; none where sed only prints."""
    words = command.words[1:]
    if not any(_IN_PLACE.fullmatch(word.text) for word in words):
        return ()
    plain = [
        word
        for word, before in zip(words, (None, *words), strict=False)
        if not word.text.startswith("-") and not (before and _SCRIPT_OPTION.fullmatch(before.text))
    ]
    return tuple(plain if any(_SCRIPT_OPTION.match(word.text) for word in words) else plain[1:])


def inserted(command: Command) -> Iterator[Inserted]:
    """Every text that its scripts put into a file, as far as it is written there whole."""
    for word in _scripts(command):
        at = 0
        while match := _COMMAND.match(word.text, at):
            group = 2 if match[1] else 3
            text, begin = match[group], match.start(group)
            if not (match[1] and _BACK_REFERENCE.search(text)):
                yield _placed(word, _ESCAPED.sub(r"\1", text), begin)
            at = max(match.end(), at + 1)


def _scripts(command: Command) -> Iterator[Word]:
    words = command.words[1:]
    given = [after for word, after in pairwise(words) if _SCRIPT_OPTION.fullmatch(word.text)]
    yield from given or [word for word in words if not word.text.startswith("-")][:1]


def _placed(word: Word, text: str, begin: int) -> Inserted:
    before = word.text[:begin]
    lines = before.count("\n")
    column = begin - before.rfind("\n") if lines else word.column + word.quoted + begin
    return Inserted(text, word.line + lines, column)
