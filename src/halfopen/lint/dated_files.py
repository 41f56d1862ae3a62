"""Which dated files a script writes, and which it removes: names with a date, as patterns of file names."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from halfopen.lint.document import Command

_VARIABLE = re.compile(r"\$\{[^{}]*\}|\$\w+|\$\([^)]*\)?\)?|`[^`]*`")
_DATE = re.compile(r"(?:\$\(|`)[^`]{0,100}\bdate\b|%\([^)]{0,100}\)T")
_DEPTH = 5
_WRITERS = {"tar", "zip", "pg_dump", "mysqldump", "iptables-save", "sysctl", "cp", "rsync", "nft"}
_OUTPUT = re.compile(r"-[a-zA-Z]*f|-o|--file|--output")


def expanded(text: str, names: Mapping[str, str]) -> str:
    """``text`` with variables that the script sets replaced; commands in it stay."""
    for _ in range(_DEPTH):
        replaced = re.sub(r"\$\{?([A-Za-z_]\w*)\}?", lambda match: names.get(match[1], match[0]), text)
        if replaced == text or len(replaced) > 4096:
            return text
        text = replaced
    return text


def pattern(text: str) -> str:
    """The last part of a path as a pattern: everything that the shell would replace is ``*``."""
    starred = re.sub(r"\*+", "*", _VARIABLE.sub("*", text))
    return starred.rstrip("/").rpartition("/")[2]


def sample(kind: str) -> str:
    """A name that a file of that kind may have."""
    return kind.replace("*", "20260101")


def written(commands: tuple[Command, ...], names: Mapping[str, str]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Patterns of the dated files that the script makes, each with the place of its command."""
    for command in commands:
        for text in _outputs(command):
            whole = expanded(text, names)
            if _DATE.search(whole) and (kind := pattern(whole)) != "*":
                yield kind, (command.line, command.column)


def _outputs(command: Command) -> Iterator[str]:
    for redirect in command.redirects:
        if redirect.operator.lstrip("1&") in {">", ">>", ">|"}:
            yield redirect.target.text
    words = [word.text for word in command.words[1:]]
    if command.program == "tee":
        yield from (word for word in words if not word.startswith("-"))
    elif command.program in {"cp", "rsync", "zip", "mv"} and words:
        yield from words[:1] if command.program == "zip" else words[-1:]
    elif command.program in _WRITERS:
        for option, value in pairwise(words):
            # «tar czf NAME» needs no dash.
            if _OUTPUT.fullmatch(option) or (command.program == "tar" and re.fullmatch(r"c?[a-zA-Z]*f", option)):
                yield value


def removed(command: Command, commands: tuple[Command, ...], names: Mapping[str, str]) -> Iterator[str]:
    """Patterns of the files that a command removes: ``rm``, ``find … -delete``, ``ls … | … | xargs rm``."""
    words = [expanded(word.text, names) for word in command.words[1:]]
    if command.program == "rm":
        yield from (pattern(word) for word in words if "*" in _VARIABLE.sub("", word))
    elif command.program == "find" and ("-delete" in words or "rm" in words or _ends_in_rm(command, commands)):
        chosen = [value for option, value in pairwise(words) if option in {"-name", "-iname"}]
        yield from chosen or ["*"]
    elif command.program in {"ls", "printf"} and _ends_in_rm(command, commands):
        paths = [word for word in words if not word.startswith("-")]
        yield from (pattern(word) if "*" in word else "*" for word in paths or ["*"])


def removed_by_name(command: Command, names: Mapping[str, str]) -> Iterator[str]:
    """Patterns of the files that ``rm`` removes by their very name: what a script makes for itself and clears away."""
    if command.program in {"rm", "mv"}:
        words = command.words[1:] if command.program == "rm" else command.words[1:-1]
        yield from (pattern(expanded(word.text, names)) for word in words if "*" not in word.text)


def _ends_in_rm(command: Command, commands: tuple[Command, ...]) -> bool:
    for _ in range(_DEPTH + 3):
        if command.piped_into is None:
            return command.program == "rm" or "rm" in [word.text for word in command.words]
        command = commands[command.piped_into]
    return False
