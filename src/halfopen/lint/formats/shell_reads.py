"""``while read key value; do …; done <<E``: a loop over lines that stand in the script.

Such a loop is what a function is that is called once for each line: its variables are the arguments.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.lint.document import Command, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_LINES_MAX = 200
_NAMES_MAX = 9
_WRITER_WITHIN = 40
"""Commands before the loop among which the one is looked for that writes into it."""


def spread(
    commands: list[Command], loops: Sequence[tuple[int, int]], separators: Mapping[int, str]
) -> tuple[list[Command], list[tuple[str, str]]]:
    """The calls, one a line, and the variables that are arguments; ``commands`` get the loop as their function.

    Args:
        commands: of the whole script.
        loops: for each loop the index of its first command and that behind its last.
        separators: index of a ``read`` → what its fields are divided by (``IFS``), where the script says so.
    """
    calls: list[Command] = []
    variables: list[tuple[str, str]] = []
    for first, end in loops:
        body = _body(commands, first) if first < end and commands[first].program == "read" else None
        names = [word.text for word in commands[first].words[1:] if word.text.isidentifier()] if body else []
        if body is None or not 0 < len(names) <= _NAMES_MAX or any(item.function for item in commands[first:end]):
            continue
        loop = f"read {commands[first].line} {commands[first].column}"
        commands[first:end] = [replace(item, function=loop) for item in commands[first:end]]
        variables += [(name, f"${place}") for place, name in enumerate(names, 1)]
        calls += _calls(loop, _lines(body), len(names), separators.get(first, ""))
    return calls, variables


def _body(commands: Sequence[Command], reader: int) -> tuple[int, str] | None:
    """The here-document that the loop reads, or that another command writes into it; with its first line."""
    sources: list[Command] = [commands[reader]]
    sources += [
        item
        for item in commands[max(reader - _WRITER_WITHIN, 0) : reader]
        if item.piped_into == reader and item.program == "cat"
    ]
    for command in sources:
        for redirect in command.redirects:
            if redirect.body is not None:
                return redirect.body_line, redirect.body
    return None


def _lines(body: tuple[int, str]) -> Iterator[tuple[int, str]]:
    first, text = body
    for number, line in enumerate(text.split("\n")[:_LINES_MAX], first):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line


def _calls(loop: str, lines: Iterable[tuple[int, str]], names: int, separator: str) -> Iterator[Command]:
    divider = re.compile(f"[{re.escape(separator)}]" if separator.strip() else r"[ \t]+")
    for number, line in lines:
        begin = len(line) - len(line.lstrip())
        words = [Word(loop, number, begin + 1)]
        for _ in range(names - 1):
            match = divider.search(line, begin)
            if match is None:
                break
            words.append(Word(line[begin : match.start()].rstrip(), number, begin + 1))
            begin = match.end()
        words.append(Word(line[begin:].strip(), number, begin + 1))
        yield Command(tuple(words))
