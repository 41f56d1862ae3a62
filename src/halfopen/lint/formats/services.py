"""redis.conf, postgresql.conf and systemd's units: one backlog each, and what units run."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.lint.document import Document, Listener, Word
from halfopen.lint.formats.hooks import commands_of_unit
from halfopen.lint.formats.lines import words

if TYPE_CHECKING:
    from collections.abc import Iterator

_SOCKET = re.compile(r"([^/]+\.socket)(?:\.d/[^/]*)?\Z")
_TRUE = frozenset({"1", "yes", "true", "on"})


def read_redis(path: str, text: str) -> Document:
    """``tcp-backlog``; 511 where the file does not say (redis.conf)."""
    lines = list(words(text))
    line = _last(lines, "tcp-backlog")
    if line is None:
        return Document(path, "redis")
    port = _port(lines, "6379")
    return Document(path, "redis", listeners=(_listener("Redis", port, line, int(line[1].text), "`tcp-backlog N`"),))


def read_postgresql(path: str, text: str) -> Document:
    """``max_connections``: the backlog is twice that (PostgreSQL, pqcomm.c, ListenServerPort)."""
    lines = list(words(text, "="))
    line = _last(lines, "max_connections")
    if line is None:
        return Document(path, "postgresql")
    port = _port(lines, "5432")
    found = _listener("PostgreSQL", port, line, 2 * int(line[1].text), "`max_connections`, half of the backlog")
    return Document(path, "postgresql", listeners=(replace(found, is_derived=True),))


def read_systemd(path: str, text: str) -> Document:
    """The stream sockets of a .socket unit, and the commands of any unit."""
    return replace(commands_of_unit(path, text), listeners=tuple(_units(_unit(path), text)))


def _unit(path: str) -> str:
    """The unit that the file is, or is a part of (``app.socket.d/limits.conf``)."""
    match = _SOCKET.search(path)
    return match[1] if match else "systemd"


def _units(unit: str, text: str) -> Iterator[Listener]:
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
        yield Listener(
            unit,
            address,
            word.line,
            word.column,
            backlog=int(backlog[1]) if backlog is not None and explicit else None,
            explicit=explicit,
            said_at=(backlog[0].line, backlog[0].column) if backlog is not None and explicit else None,
            how="`Backlog=N`",
            fast_open=1 if options.get("FastOpen", (word, ""))[1].lower() in _TRUE else None,
            deferred=options.get("DeferAcceptSec", (word, "0"))[1] not in {"", "0"},
        )


def _last(lines: list[list[Word]], name: str) -> list[Word] | None:
    """The last line of that name with a number: it is the one that counts."""
    named = (line for line in reversed(lines) if line[0].text.lower() == name)
    return next((line for line in named if len(line) > 1 and line[1].text.isdecimal()), None)


def _port(lines: list[list[Word]], default: str) -> str:
    line = _last(lines, "port")
    return f":{default if line is None else line[1].text}"


def _listener(program: str, address: str, line: list[Word], backlog: int, how: str) -> Listener:
    return Listener(program, address, line[0].line, line[0].column, backlog, explicit=True, how=how)
