"""Dockerfiles: the commands of ``RUN``, ``CMD`` and ``ENTRYPOINT``.

Everything else is blanked out, character by character, and what is left is read as a script, in its places.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.lint.document import Word
from halfopen.lint.formats import shell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.document import Document

_INSTRUCTION = re.compile(r"[ \t]*(?:ONBUILD[ \t]+)?([A-Za-z]+)[ \t]+((?:--[\w-]+=\S+[ \t]+)*)")
_RUNS = frozenset({"RUN", "CMD", "ENTRYPOINT"})
_COPY = re.compile(r"[ \t]*(?:ONBUILD[ \t]+)?(?:COPY|ADD)[ \t]+(?:--[\w-]+(?:=\S+)?[ \t]+)*", re.IGNORECASE)
_ARGUMENT = re.compile(r"[^\s,\[\]]+")
_SETTINGS = re.compile(r"/etc/(?:sysctl\.conf$|sysctl\.d(?:/|$))|/lib/sysctl\.d(?:/|$)")
_HERE = re.compile(r"<<-?[ \t]*(['\"]?)([A-Za-z_]\w*)\1")
_LIST = re.compile(r"\"(?:[^\"\\]|\\.)*\"|[\[\],]")


def read(path: str, text: str) -> Document:
    """What the image's commands set, add or run."""
    built: set[int] = set()
    lines = text.split("\n")
    script = "\n".join(_lines(lines, built))
    return replace(shell.read(path, script, "dockerfile"), built=frozenset(built), copied=tuple(_copied(lines)))


def _copied(lines: list[str]) -> Iterator[Word]:
    """Files of settings that COPY and ADD bring into the image, each at its destination."""
    for number, line in enumerate(lines, 1):
        match = _COPY.match(line)
        words = list(_ARGUMENT.finditer(line, match.end())) if match is not None else []
        if len(words) > 1:
            target = words[-1].group().strip("\"'")
            names = [word.group().strip("\"'").rpartition("/")[2] for word in words[:-1]]
            if target.rstrip("/") == "/etc" and "sysctl.conf" in names:
                target = "/etc/sysctl.conf"
            if _SETTINGS.search(target):
                yield Word(target, number, words[-1].start() + 1)


def _lines(lines: list[str], built: set[int]) -> list[str]:
    """The lines as a script's: those of other instructions are empty. Numbers of lines of RUN go to ``built``."""
    found: list[str] = []
    runs, at_build, goes_on, until = False, False, False, ""
    for number, line in enumerate(lines, 1):
        if at_build and (until or goes_on):
            built.add(number)
        if until:
            # The body of a here-document: of RUN it is the script itself, of COPY a file.
            ends = line.strip() == until
            found.append("" if ends or not runs else line)
            until = "" if ends else until
            continue
        if goes_on and line.lstrip().startswith("#"):
            found.append("\\")  # Docker leaves comments out of a command that goes on
            continue
        shown = line
        if not goes_on:
            match = _INSTRUCTION.match(line)
            instruction = "" if match is None else match[1].upper()
            runs, at_build = instruction in _RUNS, instruction == "RUN"
            shown = "" if match is None or not runs else " " * match.end() + _command(line[match.end() :])
            here = _HERE.match(line[match.end() :]) if match is not None else None
            if here is not None:
                until, shown = here[2], ""
        found.append(shown if runs else "")
        if at_build:
            built.add(number)
        goes_on = line.rstrip().endswith("\\")
    return found


def _command(text: str) -> str:
    """``["a", "b"]`` as ``"a"  "b"``; anything else as it is."""
    if not text.lstrip().startswith("["):
        return text
    return _LIST.sub(lambda match: match[0] if match[0][0] == '"' else " ", text)
