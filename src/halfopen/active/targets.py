"""The targets of a command line: arguments, ``@FILE`` with one a line, ``@-`` for standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen.errors import InputError, UsageError
from halfopen.model.target import DEFAULT_PORT, Target, second_reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: Targets of one run. More are a scan, which this is not.
TARGETS_MAX = 10_000
#: Characters of a file of targets that are read: room for that many of the longest names.
_FILE_CHARS_MAX = TARGETS_MAX * 300


def read_targets(
    arguments: Iterable[str], default_port: int = DEFAULT_PORT, note: Callable[[str], None] = lambda _: None
) -> tuple[Target, ...]:
    """The targets in their order, each once.

    Args:
        arguments: ``host``, ``host:port``, ``[v6]:port``, or ``@FILE``: one target a line, blank lines and what follows
            a ``#`` left out; ``@-`` is standard input.
        default_port: of those that name none.
        note: called with a sentence on each that may have been meant otherwise (``::1:80``).

    Raises:
        UsageError: one is no target, there is none, or there are more than ``TARGETS_MAX``.
        InputError: a file cannot be read.
    """
    found = (target for text in arguments for target in _targets(text, default_port, note))
    targets = tuple(dict.fromkeys(found))
    if not targets:
        raise UsageError("there is no target", hint="name one: example.com:443")
    if len(targets) > TARGETS_MAX:
        raise UsageError(f"there are {len(targets)} targets", why=f"{TARGETS_MAX} at a time are the most")
    return targets


def _targets(text: str, default_port: int, note: Callable[[str], None]) -> Iterator[Target]:
    if not text.startswith("@"):
        yield Target.parse(text, default_port)
        if doubt := second_reading(text):
            note(doubt)
        return
    name = "standard input" if text == "@-" else text[1:]
    for number, line in enumerate(_read(text[1:]).splitlines(), 1):
        if entry := line.partition("#")[0].strip():
            yield _entry(entry, default_port, f"line {number} of {name}", note)


def _entry(entry: str, default_port: int, place: str, note: Callable[[str], None]) -> Target:
    try:
        target = Target.parse(entry, default_port)
    except UsageError as error:
        raise UsageError(f"{place}: {error}", hint=error.hint) from None
    if doubt := second_reading(entry):
        note(f"{place}: {doubt}")
    return target


def _read(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read(_FILE_CHARS_MAX)
        with Path(name).open(encoding="utf-8") as file:
            return file.read(_FILE_CHARS_MAX)
    except OSError as error:
        raise InputError("cannot read the targets of", name, error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise InputError("cannot read the targets of", name, "it is no text") from None
