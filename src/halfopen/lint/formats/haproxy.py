"""haproxy.cfg: ``bind`` lines and the backlog of their section."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from halfopen.lint.document import Document, Listener, Word
from halfopen.lint.formats.lines import words

if TYPE_CHECKING:
    from collections.abc import Iterator

_SECTIONS = frozenset(
    {"global", "defaults", "frontend", "listen", "backend", "peers", "resolvers", "userlist", "cache", "ring"}
)  # fmt: skip


@dataclass
class _Section:
    """What a section says until now; those that follow a ``defaults`` begin with what it said."""

    kind: str
    backlog: int | None = None
    said_at: tuple[int, int] | None = None
    tcp: bool = True
    binds: list[list[Word]] = field(default_factory=list)


def read(path: str, text: str) -> Document:
    """Every ``bind`` of a frontend or a listen section."""
    return Document(path, "haproxy", listeners=tuple(_listeners(text)))


def _listeners(text: str) -> Iterator[Listener]:
    section, defaults = _Section("global"), _Section("defaults")
    for line in words(text):
        first = line[0].text
        if first in _SECTIONS:
            yield from _bound(section)
            defaults = section if section.kind == "defaults" else defaults
            base = _Section("defaults") if first == "defaults" else defaults
            section = replace(base, kind=first, binds=[])
        elif first == "backlog" and len(line) > 1 and line[1].text.isdecimal():
            section.backlog, section.said_at = int(line[1].text), (line[0].line, line[0].column)
        elif first == "mode" and len(line) > 1:
            section.tcp = line[1].text == "tcp"
        elif first == "bind" and len(line) > 1:
            section.binds.append(line)
    yield from _bound(section)


def _bound(section: _Section) -> Iterator[Listener]:
    for line in section.binds:
        named = [word.text for word in line]
        if named[1].startswith(("unix@", "abns@", "quic", "/")):
            continue
        backlog, said_at = section.backlog, section.said_at
        if "backlog" in named[2:-1] and named[named.index("backlog", 2) + 1].isdecimal():
            backlog, said_at = int(named[named.index("backlog", 2) + 1]), None
        yield Listener(
            "HAProxy",
            named[1],
            line[0].line,
            line[0].column,
            backlog=backlog,
            explicit=backlog is not None,
            said_at=said_at,
            how="`backlog N`",
            fast_open=1 if "tfo" in named[2:] else None,
            deferred="defer-accept" in named[2:],
            reads_first=not section.tcp,
        )
