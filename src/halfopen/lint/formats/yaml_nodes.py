"""YAML as the mappings and scalars in it, each with its place, whatever it is for.

The parser's events are walked, not its documents: nothing is built, so aliases and nesting cost nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from halfopen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LISTS_MAX = 4
ENTRIES_MAX = 5000
"""Entries of a mapping that are kept."""
#: A template's statement alone on its line, and an expression within one.
_STATEMENT = re.compile(r"^[ \t]*(?:\{\{-?[^{}\n]*\}\}|\{%[^{}\n]*%\}|\{#[^{}\n]*#\})[ \t]*$", re.MULTILINE)
_EXPRESSION = re.compile(r"\{\{[^{}\n]*\}\}|\{%[^{}\n]*%\}")


class Home(NamedTuple):
    """Where a node stands: below which key of which mapping, whatever lists are between."""

    key: str
    mapping: Mapping


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value, or a key."""

    text: str
    line: int
    """1-based; of a block, its first line."""
    column: int
    """1-based; of a block, the first of its lines' own."""
    end: tuple[int, int]
    """Line and column behind it, 0-based, as the parser counts."""
    style: str | None = None
    """``|`` and ``>`` are blocks, whose text is their lines as they stand in the file, indented."""
    home: Home | None = None

    @property
    def is_quoted(self) -> bool:
        """Whether its text begins one character behind its place."""
        return self.style in {"'", '"'}

    @property
    def is_block(self) -> bool:
        """Whether its lines are lines of the file."""
        return self.style in {"|", ">"}


@dataclass(slots=True)
class Mapping:
    """A mapping, as far as its values are scalars."""

    line: int
    home: Home | None = None
    keys: set[str] = field(default_factory=set)
    """Its keys, whatever their values are."""
    key: str = ""
    """The last key."""
    entries: dict[str, tuple[Scalar, Scalar]] = field(default_factory=dict)
    """{key: the key and its value}."""
    waiting: Scalar | None = None
    """The key whose value comes next."""

    def value(self, *keys: str) -> Scalar | None:
        """The value of the first of ``keys`` that it has."""
        return next((self.entries[key][1] for key in keys if key in self.entries), None)


def nodes(path: str, text: str) -> Iterator[Mapping | Scalar]:
    """Every scalar that is no key, and every mapping when it ends.

    Raises:
        InputError: it is no YAML, not even without the statements of a template.
    """
    import yaml

    # A lone surrogate is a byte that was no UTF-8: it cannot be part of a metric's or a key's name.
    clean = text.encode("utf-8", "replace").decode()
    try:
        yield from list(_walk(clean))
    except yaml.YAMLError as error:
        try:
            yield from list(_walk(_without_template(clean))) if _EXPRESSION.search(clean) else _fail(error)
        except yaml.YAMLError:
            mark = getattr(error, "problem_mark", None)
            where = f" in line {mark.line + 1}" if mark is not None else ""
            why = getattr(error, "problem", None) or "unreadable"
            raise InputError("cannot lint", path, f"it is no YAML: {why}{where}") from error


def _fail(error: Exception) -> list[Mapping | Scalar]:
    raise error


def _without_template(text: str) -> str:
    """As many characters in as many lines; what would be filled in begins with ``$``, as a script's variable."""
    bare = _STATEMENT.sub("", text)
    return _EXPRESSION.sub(lambda match: "$" + "_" * (len(match[0]) - 1), bare)


def _walk(text: str) -> Iterator[Mapping | Scalar]:
    import yaml

    lines = text.split("\n")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # None stands for a sequence.
    frames: list[Mapping | None] = []
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            _step(frames, None)
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            home = _home(frames) if is_mapping else None
            frames.append(Mapping(_line(event), home) if is_mapping else None)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            frame = frames.pop()
            if frame is not None:
                yield frame
        elif isinstance(event, yaml.ScalarEvent):
            scalar = _scalar(event, lines, _home(frames))
            if not _step(frames, scalar):
                yield scalar
        elif isinstance(event, yaml.AliasEvent):
            _step(frames, None)


def _step(frames: list[Mapping | None], scalar: Scalar | None) -> bool:
    """A node has come: it is a key when none waits, else that key's value. Says whether it is a key."""
    frame = frames[-1] if frames else None
    if frame is None:
        return False
    if frame.waiting is None:
        frame.waiting = scalar or Scalar("", frame.line, 1, (0, 0))
        frame.key = frame.waiting.text
        if len(frame.keys) < ENTRIES_MAX:
            frame.keys.add(frame.key)
        return True
    if scalar is not None and len(frame.entries) < ENTRIES_MAX:
        frame.entries[frame.waiting.text] = (frame.waiting, scalar)
    frame.waiting = None
    return False


def _home(frames: list[Mapping | None]) -> Home | None:
    """The innermost mapping, seen through a list or two: what is nested deeper in lists is nobody's."""
    inner = next((frame for frame in reversed(frames[-_LISTS_MAX:]) if frame is not None), None)
    return None if inner is None else Home(inner.key, inner)


def _line(event: Any) -> int:  # noqa: ANN401
    return int(event.start_mark.line) + 1


def _scalar(event: Any, lines: list[str], home: Home | None) -> Scalar:  # noqa: ANN401
    start, end = event.start_mark, event.end_mark
    if event.style in {"|", ">"}:
        shown = "\n".join(lines[start.line + 1 : max(end.line, start.line + 2)])
        return Scalar(shown, start.line + 2, 1, (end.line, end.column), event.style, home)
    return Scalar(event.value, start.line + 1, start.column + 1, (end.line, end.column), event.style, home)
