"""Prometheus rule files, and whatever else in YAML holds rules (a PrometheusRule of Kubernetes): the expressions.

The parser's events are walked, not its documents: nothing is built, so aliases and nesting cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halfopen.errors import InputError
from halfopen.lint.document import Document, Query

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYS = frozenset({"alert", "record", "expr"})


def read(path: str, text: str) -> Document:
    """Every mapping with ``expr`` and ``alert`` or ``record``.

    Raises:
        InputError: it is no YAML.
    """
    import yaml

    # A lone surrogate is a byte that was no UTF-8: it cannot be part of a metric's name.
    clean = text.encode("utf-8", "replace").decode()
    lines = clean.split("\n")
    try:
        return Document(path, "prometheus", queries=tuple(_queries(clean, lines)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise InputError(
            "cannot lint", path, f"it is no YAML: {getattr(error, 'problem', None) or 'unreadable'}{where}"
        ) from error


def _queries(text: str, lines: list[str]) -> Iterator[Query]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    # One frame a mapping or sequence that is open: None for a sequence, else what it holds and the key that waits.
    frames: list[dict[str, Any] | None] = []
    waiting: list[str | None] = []
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            _step(frames, waiting, None)
            frames.append({} if isinstance(event, yaml.MappingStartEvent) else None)
            waiting.append(None)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            frame = frames.pop()
            waiting.pop()
            if frame and "expr" in frame and ("alert" in frame or "record" in frame):
                yield _query(frame, lines)
        elif isinstance(event, (yaml.ScalarEvent, yaml.AliasEvent)):
            _step(frames, waiting, event)


def _step(frames: list[dict[str, Any] | None], waiting: list[str | None], event: Any) -> None:  # noqa: ANN401
    """A node has come: it is a key when none waits, else that key's value."""
    frame = frames[-1] if frames else None
    if frame is None:
        return
    if waiting[-1] is None:
        waiting[-1] = getattr(event, "value", None) or ""
        return
    if waiting[-1] in _KEYS and hasattr(event, "value"):
        frame[waiting[-1]] = event
    waiting[-1] = None


def _query(frame: dict[str, Any], lines: list[str]) -> Query:
    event = frame["expr"]
    start, end = event.start_mark, event.end_mark
    alert = frame["alert"].value if "alert" in frame else None
    if event.style in {"|", ">"}:
        found = lines[start.line + 1 : max(end.line, start.line + 2)]
        return Query("\n".join(found), start.line + 2, 1, alert, (1,) * len(found))
    found = lines[start.line : end.line + 1]
    found[-1] = found[-1][: end.column]
    found[0] = found[0][start.column :]
    # Quotes that YAML wants escaped are PromQL's own; as many characters, so that columns stay.
    text = "\n".join(found).replace('\\"', ' "')
    return Query(text, start.line + 1, start.column + 1, alert, (start.column + 1, *(1,) * (len(found) - 1)))
