"""The handshakes that ``--sort`` puts first, as one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from halfopen.model.handshake import Handshake
from halfopen.model.quantity import UNKNOWN, duration, grouped
from halfopen.render.escape import escape_text
from halfopen.render.handshake_rows import frames, peers, plain, why
from halfopen.render.layout import Cell, Column, Paint, table
from halfopen.render.words import OUTCOME_WORDS, outcome_role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Fields that have a column of their own anyway.
_SHOWN = {"number", "client", "client_port", "server", "server_port", "outcome", "handshake_us", "syn_sent"}


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, and what came of it."""

    by: str
    """``FIELD``, or ``-FIELD`` for the largest first."""
    records: Sequence[Mapping[str, Any]]
    """The first ones, as ``halfopen.handshake/1`` objects."""

    @property
    def first(self) -> int | None:
        """The number of the first one."""
        return next((record.get("number") for record in self.records), None)

    @property
    def field(self) -> str:
        """The field's name, dotted for the members of options."""
        return self.by.removeprefix("-")


def listing(order: Order, total: int, width: int, paint: Paint) -> list[str]:
    """The table with its heading; nothing where no handshake was left."""
    if not order.records:
        return []
    field = escape_text(order.field)
    largest = ", largest first" if order.by.startswith("-") else ""
    shown = len(order.records)
    count = grouped(total) if shown >= total else f"{grouped(shown)} of {grouped(total)}"
    title = paint("head", "Handshakes") + paint("dim", f"  {count}, by {field}{largest}")
    columns = [
        Column("number", right=True),
        *([] if order.field in _SHOWN else [Column(field, right=True)]),
        Column("client → server", shrink=24),
        Column("outcome"),
        Column("handshake", right=True, keep=4),
        Column("SYNs", right=True, keep=3),
        Column("frames", keep=2),
        Column("why", keep=1, words=16),
    ]
    return [title, *table(columns, [_row(record, order.field) for record in order.records], width, paint)]


def _row(record: Mapping[str, Any], field: str) -> list[Cell | str]:
    row = Handshake.from_dict(record)
    return [
        plain(row.number),
        *([] if field in _SHOWN else [_value(record, field)]),
        peers(row),
        Cell(OUTCOME_WORDS.get(row.outcome, escape_text(row.outcome)), outcome_role(row.outcome)),
        duration(row.handshake_us),
        grouped(row.syn_sent),
        frames(row),
        why(row),
    ]


def _value(record: Mapping[str, Any], field: str) -> str:
    value: Any = record
    for name in field.split("."):
        value = value.get(name) if value is not None else None
    if value is None:
        return UNKNOWN
    if field.endswith("_us"):
        return duration(value)
    return escape_text(str(value).lower() if isinstance(value, bool) else str(value))
