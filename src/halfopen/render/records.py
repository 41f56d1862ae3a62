"""Handshake records that were made here as ``halfopen.handshake/1`` objects: every field, in the contract's order.

The native core's table of fields is the one list of them; the formats are those that it writes for captures.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, Any

from halfopen import _core

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halfopen.model.handshake import Handshake


@cache
def _fields() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(name, names of its members), in order."""
    members: dict[str, list[str]] = {}
    for name, *_ in _core.handshake_fields():
        field, _, member = name.partition(".")
        members.setdefault(field, []).extend([member] if member else [])
    return tuple((name, tuple(inner)) for name, inner in members.items())


def record(handshake: Handshake) -> dict[str, Any]:
    """The object; what the record does not hold is None."""
    values = asdict(handshake)
    values["vlan"], values["anomalies"] = list(handshake.vlan), list(handshake.anomalies)
    return {name: _whole(values.get(name), inner) for name, inner in _fields()}


def _whole(value: Any, inner: tuple[str, ...]) -> Any:  # noqa: ANN401
    return {name: value.get(name) for name in inner} if inner and value is not None else value


def arrow(handshakes: Iterable[Handshake]) -> _core.Records:
    """The records as Arrow columns (``__arrow_c_stream__``), and as Parquet (``to_parquet``)."""
    return _core.Records([record(handshake) for handshake in handshakes])


def json_line(handshake: Handshake) -> str:
    """One line of JSON Lines, without its end."""
    return json.dumps(record(handshake), ensure_ascii=False, separators=(",", ":"))


def csv_header() -> str:
    """The header line."""
    names = (name for field, inner in _fields() for name in ([f"{field}.{member}" for member in inner] or [field]))
    return _csv_line(names)


def csv_line(handshake: Handshake) -> str:
    """One row: members of options in columns of their own, lists separated by spaces."""
    values = record(handshake)
    return _csv_line(cell for field, inner in _fields() for cell in _cells(values[field], inner))


def _cells(value: Any, inner: tuple[str, ...]) -> list[str]:  # noqa: ANN401
    if inner:
        return [_cell(None if value is None else value[member]) for member in inner]
    return [" ".join(map(str, value)) if isinstance(value, list) else _cell(value)]


def _cell(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _csv_line(cells: Any) -> str:  # noqa: ANN401
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
