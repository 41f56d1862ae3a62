"""Shell scripts: the settings, the firewall rules and the commands in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_text import dotted
from halfopen.lint.document import Document
from halfopen.lint.formats.shell_commands import commands
from halfopen.lint.formats.shell_ruleset import ruleset
from halfopen.lint.formats.shell_settings import settings
from halfopen.lint.formats.shell_values import Values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Command, Kind

_PROC = "/proc/sys/"
#: Others' echo, such as dash's, takes \n for a new line.
_BASH = re.compile(r"#!.*\bbash\b")


def read(path: str, text: str, kind: Kind = "shell", at: tuple[int, int] = (1, 1)) -> Document:
    """Everything that a script sets, adds or runs; ``at`` is the place of its first character."""
    script = commands(text, at=at)
    values = Values(script)
    return Document(
        path,
        kind,
        settings=tuple(settings(script.commands, values, plain_echo=_BASH.match(text) is not None)),
        ruleset=ruleset(script.commands, values),
        commands=script.commands,
        variables=script.variables,
        tested=frozenset(_tested(script.commands, values)),
    )


def _tested(found: tuple[Command, ...], values: Values) -> Iterator[str]:
    for command in found:
        if command.program in {"[", "[[", "test"}:
            for word in command.words[1:]:
                path = values.text(word.text)
                if path.startswith(_PROC):
                    yield dotted(path.removeprefix(_PROC))
