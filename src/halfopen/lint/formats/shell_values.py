"""What the variables of a script hold, where only one value can be meant; everything else stays as it was written."""

from __future__ import annotations

import re
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Command, Word
    from halfopen.lint.formats.shell_commands import Script

_NAME = re.compile(r"\$(?:([A-Za-z_]\w*)|\{(\w+)(?::?[-=]([^{}$`]*))?\})")
_LIST = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:\[[@*]\])?\})")
_ARGUMENT = re.compile(r"\$(?:([1-9])|\{([1-9])\})")
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
        self._rounds = [0]
        self.function = ""
        functions = {command.function for command in script.commands if command.function}
        self._calls: dict[str, list[Command]] = {}
        for command in script.commands:
            if command.program in functions and len(command.words) > 1:
                self._calls.setdefault(command.program, []).append(command)
        for call in script.calls:
            self._calls.setdefault(call.program, []).append(call)
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

    def within(self, function: str) -> Self:
        """The same variables, as they are seen in the function of that name: its arguments are those of its calls."""
        if function == self.function:
            return self
        inside = copy(self)
        inside.function = function
        return inside

    def words(self, word: Word) -> Iterator[tuple[Word | None, str]]:
        """What ``word`` becomes, in turn, where it names the variable of a loop or an array: the words of its list.

        With each text comes the word of the list where there is one; in a function, the first argument of each of its
        calls.
        """
        for item, text in self._of_loop(word):
            calls = self._calls.get(self.function, []) if _ARGUMENT.search(text) else []
            if item is not None or not calls or self._rounds[0] > _ROUNDS_MAX:
                yield item, text
                continue
            self._rounds[0] += len(calls)
            for call in calls[:_WORDS_MAX]:
                yield call.words[1], _ARGUMENT.sub(partial(self._argument, call), text)

    def _argument(self, call: Command, match: re.Match[str]) -> str:
        place = int(match[1] or match[2])
        return self.text(call.words[place].text) if place < len(call.words) else match[0]

    def _of_loop(self, word: Word) -> Iterator[tuple[Word | None, str]]:
        match = _LIST.search(word.text)
        words = self._list(match[1] or match[2]) if match else None
        if match is None or words is None or self._rounds[0] > _ROUNDS_MAX:
            yield None, self.text(word.text)
            return
        self._rounds[0] += len(words)
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
