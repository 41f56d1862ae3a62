"""Formats of one setting a line, with ``#`` comments: words with their places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.document import Word

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = re.compile(r"\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|(#.*)|((?:\\.|[^\s\"'])+)|[\"']")


def words(text: str, separators: str = "") -> Iterator[list[Word]]:
    """The words of each line that has any; ``separators`` count as blanks."""
    blanks = str.maketrans(dict.fromkeys(separators, " "))
    for number, line in enumerate(text.split("\n"), 1):
        found: list[Word] = []
        for match in _WORD.finditer(line.translate(blanks)):
            double, single, comment, bare = match.groups()
            if comment is not None:
                break
            said = next((part for part in (double, single, bare) if part is not None), "")
            found.append(Word(said, number, match.start() + 1))
        if found:
            yield found
