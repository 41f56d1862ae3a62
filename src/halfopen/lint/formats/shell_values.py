"""What the variables of a script hold, where only one value can be meant; everything else stays as it was written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Word
    from halfopen.lint.formats.shell_commands import Script

_NAME = re.compile(r"\$(?:([A-Za-z_]\w*)|\{(\w+)(?::?[-=]([^{}$`]*))?\})")
_LIST = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:\[[@*]\])?\})")
_DEPTH = 5
_LENGTH_MAX = 4096
_WORDS_MAX = 200
"""Words of a list that are looked at."""
_ROUNDS_MAX = 20_000
"""Rounds of all loops of a script; behind them a loop's variable is unknown."""


class Values:
    """The variables of one script."""

    def __init__(self, script: Script) -> None:
        known: dict[str, set[str]] = {}
        for name, value in script.variables:
            known.setdefault(name, set()).add(value)
        # Set to different values, here or there: which one holds, only a run would tell.
        self._values = {name: next(iter(values)) if len(values) == 1 else None for name, values in known.items()}
        self._rounds = 0
        self._lists: dict[str, tuple[Word, ...] | None] = {}
        for name, words in script.lists:
            self._lists[name] = None if name in self._lists else words

    def pairs(self) -> Iterator[Word]:
        """The words of arrays with names (``["net.core.somaxconn"]="8192"``)."""
        for words in self._lists.values():
            yield from (word for word in words or () if word.text.startswith("["))

    def text(self, text: str) -> str:
        """``text`` with the variables replaced that have one value; of ``${x:-default}`` the default, without one."""
        for _ in range(_DEPTH):
            replaced = _NAME.sub(self._replace, text)
            if replaced == text or len(replaced) > _LENGTH_MAX:
                break
            text = replaced
        return text

    def words(self, word: Word) -> Iterator[tuple[Word | None, str]]:
        """What ``word`` becomes, in turn, where it names the variable of a loop or an array: the words of its list.

        With each text comes the word of the list where there is one.
        """
        match = _LIST.search(word.text)
        words = self._list(match[1] or match[2]) if match else None
        if match is None or words is None or self._rounds > _ROUNDS_MAX:
            yield None, self.text(word.text)
            return
        self._rounds += len(words)
        for item in words:
            yield item, self.text(word.text[: match.start()] + item.text + word.text[match.end() :])

    def _list(self, name: str) -> tuple[Word, ...] | None:
        """The words that ``name`` goes through; a list of lists is opened once."""
        found: list[Word] = []
        for word in self._lists.get(name) or ():
            match = _LIST.fullmatch(word.text)
            inner = self._lists.get(match[1] or match[2]) if match else None
            found += [word] if inner is None else inner
            if len(found) > _WORDS_MAX:
                break
        return tuple(found[:_WORDS_MAX]) or None

    def _replace(self, match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name in self._lists:
            return match[0]
        value = self._values.get(name)
        default = match[3]
        if name not in self._values:
            return match[0] if default is None else default
        if value is None or match[0] in value:
            # «X=${X:-5}»: what stands there unless somebody says otherwise.
            inner = _NAME.fullmatch(value) if value else None
            return inner[3] if inner and inner[3] is not None else match[0]
        return value
