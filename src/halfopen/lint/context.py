"""What a check sees: all files of one run, and the kernel that they are for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import BY_KEY, pattern
from halfopen.lint.kernel import Kernel
from halfopen.model.quantity import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctl_text import Assignment
    from halfopen.lint.document import Command, Document, Listener, Query


@dataclass(frozen=True)
class Context:
    """The facts."""

    documents: tuple[Document, ...]
    kernel: Kernel = field(default_factory=Kernel)

    @cached_property
    def _settings(self) -> dict[str, list[tuple[Document, Assignment]]]:
        by_key: dict[str, list[tuple[Document, Assignment]]] = {}
        for document in self.documents:
            for item in document.settings:
                if item.value is not None and not self._is_unread(document, item):
                    by_key.setdefault(pattern(item.key), []).append((document, item))
        return by_key

    @cached_property
    def unread(self) -> tuple[tuple[Document, Assignment], ...]:
        """Settings that an image is built with, which have no effect: no other check is about them."""
        return tuple(
            (document, item)
            for document in self.documents
            for item in document.settings
            if item.value is not None and self._is_unread(document, item)
        )

    def _is_unread(self, document: Document, item: Assignment) -> bool:
        # A key that the kernel lacks no container can have: that is said of it instead.
        return item.line in document.built and not self.kernel.lacks(item.key)

    def settings(self, *keys: str) -> Iterator[tuple[Document, Assignment]]:
        """Every line that sets one of ``keys`` (any key at all, when none is named), in the order of the files."""
        for key in keys or self._settings:
            yield from self._settings.get(key, ())

    def value(self, key: str) -> int | None:
        """The number that the files leave in ``key``; the kernel's default when they do not set it."""
        for _document, item in reversed(self._settings.get(key, [])):
            if item.number is not None:
                return item.number
        row = BY_KEY.get(key)
        default = row.default_on(self.kernel.version) if row else None
        return int(default) if default and default.isdecimal() else None

    def sets(self, key: str) -> bool:
        """Whether any file sets ``key``."""
        return key in self._settings

    def commands(self, *programs: str) -> Iterator[tuple[Document, Command]]:
        """Every command of a script that runs one of ``programs``."""
        for document in self.documents:
            for command in document.commands:
                if command.program in programs:
                    yield document, command

    def listeners(self) -> Iterator[tuple[Document, Listener]]:
        """Every socket that an application's file opens."""
        for document in self.documents:
            for listener in document.listeners:
                yield document, listener

    def backlogs(self) -> Iterator[tuple[Document, tuple[int, int], str, Listener]]:
        """Every backlog of an application: its place, and what has it, which may be several sockets with one line."""
        for document in self.documents:
            sharing: dict[tuple[int, int], list[Listener]] = {}
            for listener in document.listeners:
                sharing.setdefault(listener.said_at or (listener.line, listener.column), []).append(listener)
            for place, found in sharing.items():
                yield document, place, f"{found[0].program} {listed([item.where for item in found])}", found[0]

    def queries(self) -> Iterator[tuple[Document, Query]]:
        """Every PromQL expression."""
        for document in self.documents:
            for query in document.queries:
                yield document, query
