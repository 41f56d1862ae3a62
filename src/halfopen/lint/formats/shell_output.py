"""What a command of a script writes: ``echo``, ``printf``, a here-document or a here-string."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Command, Word
    from halfopen.lint.formats.shell_values import Values

_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}
_ESCAPE = re.compile(r"\\[nt\\]")
_CONVERSION = re.compile(r"%-?\d*[sdbi]|%%")
_ROUNDS_MAX = 200


class Text(NamedTuple):
    """Something that a command writes, and where it begins."""

    text: str
    line: int
    column: int
    whole_lines: bool = False
    """It stands in the script as it is written: its lines are the script's."""


def texts(command: Command, values: Values, *, plain_echo: bool) -> Iterator[Text]:
    """What the command writes; nothing where it only passes on what it reads from a file or a pipe."""
    if command.program == "echo":
        yield from _echo(command.words[1:], values, plain=plain_echo)
    elif command.program == "printf":
        yield from _printf(command.words[1:], values)
    elif command.program in {"cat", "tee", "sysctl"}:
        for redirect in command.redirects:
            if redirect.body is not None:
                yield Text(values.text(redirect.body), redirect.body_line, 1, whole_lines=True)
            elif redirect.operator.endswith("<<<"):
                target = redirect.target
                yield Text(values.text(target.text), target.line, target.column, whole_lines="\n" in target.text)


def _echo(words: tuple[Word, ...], values: Values, *, plain: bool) -> Iterator[Text]:
    options = [word.text for word in words if re.fullmatch(r"-[neE]+", word.text)]
    said = words[len(options) :]
    if not said:
        return
    escapes = any("e" in option for option in options) or not plain
    for at, texts in _rounds(said, values):
        text = " ".join(texts)
        yield Text(_unescaped(text) if escapes else text, at.line, at.column, whole_lines="\n" in text)


def _printf(words: tuple[Word, ...], values: Values) -> Iterator[Text]:
    """The format, gone over again while there are arguments."""
    if not words:
        return
    for at, (pattern, *arguments) in _rounds(words, values):
        yield Text(_formatted(_unescaped(pattern), arguments), at.line, at.column)


def _formatted(pattern: str, arguments: list[str]) -> str:
    parts = re.split(f"({_CONVERSION.pattern})", pattern)
    wanted = sum(part != "%%" for part in parts[1::2])
    rounds = min(-(-len(arguments) // wanted), _ROUNDS_MAX) if wanted and arguments else 1
    left, written = iter(arguments), list[str]()
    for _ in range(rounds):
        for place, part in enumerate(parts):
            written.append(part if place % 2 == 0 else "%" if part == "%%" else next(left, ""))
    return "".join(written)


def _rounds(words: tuple[Word, ...], values: Values) -> Iterator[tuple[Word, list[str]]]:
    """The words in each round of a loop whose variable is among them, and the word that the round is told by."""
    looped = next((word for word in words if next(iter(values.words(word)))[0] is not None), None)
    if looped is None:
        yield words[0], [values.text(word.text) for word in words]
        return
    for item, text in values.words(looped):
        yield item or words[0], [text if word is looped else values.text(word.text) for word in words]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPES[match[0]], text)
