"""Files whose keys hold commands: systemd's units, wg-quick's ``PostUp``, the ``post-up`` of ifupdown.

Everything else is blanked out, and what is left is read as a script, in its places. Commands that undo at the end what
others did at the start (``ExecStop``, ``PostDown``, ``down``) are left out: both together set nothing twice.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.lint.formats import shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Document, Kind

#: systemd.service(5): the prefixes of the program change whom it runs as and whether it may fail.
_EXEC = re.compile(r"[ \t]*Exec(Condition|StartPre|StartPost|Start|Reload)[ \t]*=[ \t]*([-@:+!|]*)")
_WG_QUICK = re.compile(r"[ \t]*(?:Pre|Post)Up[ \t]*=", re.IGNORECASE)
_IFUPDOWN = re.compile(r"[ \t]*(?:pre-|post-)?up[ \t]")
_COMMENT = re.compile(r"^([ \t]*);")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\[\s\S])*\"|'(?:[^'\\]|\\[\s\S])*'|[<>|&#()`]")


def commands_of_unit(path: str, text: str) -> Document:
    """What ``ExecStart=`` and the like run. There is no shell: ``>`` and ``|`` are words like others."""
    document = shell.read(path, _script(text, _EXEC, without_shell=True), "systemd")
    decides = frozenset(_decisive(text))
    words = {
        (word.line, word.column)
        for command in document.commands
        if (command.line, command.column) in decides
        for word in command.words
    }
    settings = (replace(item, in_unit=(item.line, item.column) in words) for item in document.settings)
    return replace(document, settings=tuple(settings))


def read_wg_quick(path: str, text: str) -> Document:
    """What a configuration of wg-quick runs when the interface comes up."""
    return _read(path, text, _WG_QUICK, "wg-quick")


def read_ifupdown(path: str, text: str) -> Document:
    """What /etc/network/interfaces runs when an interface comes up."""
    return _read(path, text, _IFUPDOWN, "ifupdown")


def _read(path: str, text: str, key: re.Pattern[str], kind: Kind) -> Document:
    return shell.read(path, _script(text, key, without_shell=False), kind)


def _decisive(text: str) -> Iterator[tuple[int, int]]:
    """Where programs stand without which the unit does not start. Those of ``sh -c`` may fail: its last one counts."""
    for number, line in enumerate(text.split("\n"), 1):
        match = _EXEC.match(line)
        if match is not None and match[1] != "Reload" and "-" not in match[2]:
            yield number, match.end() + 1


def _script(text: str, key: re.Pattern[str], *, without_shell: bool) -> str:
    found: list[str] = []
    command: list[str] = []
    for line in text.split("\n"):
        match = key.match(line)
        if command:
            command.append("\\" if _is_comment(line) else line)  # within a command comments are passed over
        elif match is not None:
            command.append(" " * match.end() + line[match.end() :])
        else:
            found.append(_COMMENT.sub(r"\1#", line) if _is_comment(line) else "")
        if command and not command[-1].endswith("\\"):
            whole = "\n".join(command)
            found.append(_QUOTED.sub(_plain, whole) if without_shell else whole)
            command.clear()
    return "\n".join([*found, *command])


def _is_comment(line: str) -> bool:
    return line.lstrip()[:1] in {"#", ";"}


def _plain(match: re.Match[str]) -> str:
    return match[0] if match[0][0] in "\"'" else "_"
