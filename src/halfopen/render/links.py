"""What a link with faults did to which packets, as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.experiment import Table
from halfopen.model.quantity import plural
from halfopen.render.layout import Column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.experiment import Deed, LinkReport

#: More rows than that say less: then the connections of a kind share one.
_ROWS_MAX = 16
_TIMES_MAX = 8
COLUMNS = (Column("done", shrink=14), Column("to", shrink=24), Column("packets", right=True), Column("at, s", words=8))
_PACKETS = {
    "syn": "SYN",
    "syn_ack": "SYN-ACK",
    "final_ack": "final ACK",
    "data": "data",
    "fin": "FIN",
    "rst": "RST",
    "ack": "ACK",
    "other": "no TCP",
}
_DEEDS = {
    "too_large": "larger than its MTU: dropped",
    "queue_full": "its queue was full: dropped",
    "refused": "not taken by the receiver",
    "reordered": "let overtake others",
}


def link_table(link: LinkReport) -> Table:
    """A row for each connection and deed, or for all connections together where there are many.

    What IPv6 says of itself while the other device is not up yet is nobody's.
    """
    ways = "; ".join(f"{way.sender} → {way.receiver}: {way.received} came in, {way.delivered} out" for way in link.ways)
    deeds = [deed for deed in link.deeds if deed.packet != "other" or deed.did != "refused"]
    by_connection = _grouped(deeds, alone=True)
    groups = by_connection if len(by_connection) <= _ROWS_MAX else _grouped(deeds, alone=False)
    rows = [_row(deeds) for deeds in groups]
    if link.deeds_left_out:
        rows.append((f"and more, to {plural(link.deeds_left_out, 'packet')}", "", link.deeds_left_out, ""))
    nothing = "" if rows else "; none was dropped or changed"
    return Table(f"What the link did ({ways}{nothing})", tuple(column.title for column in COLUMNS), tuple(rows))


def _grouped(deeds: Sequence[Deed], *, alone: bool) -> list[list[Deed]]:
    groups: dict[object, list[Deed]] = {}
    for deed in deeds:
        ends = (deed.source, deed.destination) if alone else deed.sender
        groups.setdefault((deed.did, deed.packet, ends), []).append(deed)
    return list(groups.values())


def _row(deeds: Sequence[Deed]) -> tuple[str, str, int, str]:
    first = deeds[0]
    ends = {(deed.source, deed.destination) for deed in deeds}
    where = f"of the {first.sender}"
    if len(ends) > 1:
        where += f", {len(ends)} connections"
    elif first.source is not None:
        where = f"{first.source} → {first.destination}"
    did = _DEEDS.get(first.did, first.did)
    return did, f"{_PACKETS.get(first.packet, first.packet)} {where}", len(deeds), _times(deeds)


def _times(deeds: Sequence[Deed]) -> str:
    shown = ", ".join(f"{deed.at_s:.2f}" for deed in deeds[:_TIMES_MAX])
    return shown if len(deeds) <= _TIMES_MAX else f"{shown} … {deeds[-1].at_s:.2f}"
