"""redis.conf, postgresql.conf and systemd's units: one backlog each, and what units run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.lint.document import Document, Listener, Word
from halfopen.lint.formats.hooks import commands_of_unit
from halfopen.lint.formats.lines import words

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRUE = frozenset({"1", "yes", "true", "on"})


def read_redis(path: str, text: str) -> Document:
    """``tcp-backlog``; 511 where the file does not say (redis.conf)."""
    line = next((line for line in reversed(list(words(text))) if line[0].text.lower() == "tcp-backlog"), None)
    if line is None or len(line) < 2 or not line[1].text.isdecimal():
        return Document(path, "redis")
    return Document(path, "redis", listeners=(_listener("Redis", line, int(line[1].text), "`tcp-backlog N`"),))


def read_postgresql(path: str, text: str) -> Document:
    """``max_connections``: the backlog is twice that (PostgreSQL, pqcomm.c, ListenServerPort)."""
    line = next((line for line in reversed(list(words(text, "="))) if line[0].text.lower() == "max_connections"), None)
    if line is None or len(line) < 2 or not line[1].text.isdecimal():
        return Document(path, "postgresql")
    found = _listener("PostgreSQL", line, 2 * int(line[1].text), "`max_connections`, half of the backlog")
    return Document(path, "postgresql", listeners=(replace(found, is_derived=True),))


def read_systemd(path: str, text: str) -> Document:
    """The stream sockets of a .socket unit, and the commands of any unit."""
    return replace(commands_of_unit(path, text), listeners=tuple(_units(text)))


def _units(text: str) -> Iterator[Listener]:
    streams: list[tuple[Word, str]] = []
    options: dict[str, tuple[Word, str]] = {}
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip()
        if content.startswith("["):
            inside = content == "[Socket]"
        elif inside and content[:1] not in {"", "#", ";"}:
            name, _, value = (part.strip() for part in content.partition("="))
            word = Word(name, number, len(line) - len(line.lstrip()) + 1)
            if name == "ListenStream" and value and not value.startswith(("/", "@", "vsock:")):
                streams.append((word, value))
            options[name] = (word, value)
    backlog = options.get("Backlog")
    explicit = backlog is not None and backlog[1].isdecimal()
    for word, address in streams:
        place = backlog[0] if backlog is not None and explicit else word
        yield Listener(
            "systemd",
            address,
            place.line,
            place.column,
            backlog=int(backlog[1]) if backlog is not None and explicit else None,
            explicit=explicit,
            how="`Backlog=N`",
            fast_open=1 if options.get("FastOpen", (word, ""))[1].lower() in _TRUE else None,
            deferred=options.get("DeferAcceptSec", (word, "0"))[1] not in {"", "0"},
        )


def _listener(program: str, line: list[Word], backlog: int, how: str) -> Listener:
    return Listener(program, "its port", line[0].line, line[0].column, backlog, explicit=True, how=how)
