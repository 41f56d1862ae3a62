"""The screen of ``halfopen trace A --against B``, and its JSON.

First what was lost and where, then what was compared, then the clocks and the time, then single handshakes with their
frames in both files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halfopen.handshakes.against import KIND_WORDS, notices
from halfopen.model.against import SCHEMA
from halfopen.model.quantity import UNKNOWN, duration, endpoint, every, grouped, measured, plural, share, span
from halfopen.render.escape import escape_text
from halfopen.render.json import sentence
from halfopen.render.layout import Cell, Column, Paint, clamp, table, wrap
from halfopen.render.text import sentences
from halfopen.render.words import OUTCOME_WORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.against import Against, Compared, PacketCounts, Place, Point, PointTotals
    from halfopen.model.summary import Input, Latency

_LABEL = 10
#: Frames of one handshake in one file.
_FRAMES = 3
#: Kinds of sentences by which a connect failed though all its packets passed between the points.
_FAILED_OUTSIDE = frozenset({"unanswered-behind", "unanswered-before"})


def against_object(found: Against) -> dict[str, Any]:
    """The object ``halfopen.against/1``, with the sentences."""
    rest = {name: value for name, value in found.document.items() if name not in {"schema", "notices"}}
    return {"schema": SCHEMA, **rest, "notices": [sentence(notice) for notice in notices(found)]}


def render_against(found: Against, *, width: int = 100, color: bool = False, top: int = 10) -> str:
    """The screen as text that ends in a line end.

    Args:
        found: the comparison.
        width: columns of the terminal; the layout keeps to 60 to 120.
        color: whether to use ANSI colours.
        top: rows of the table of handshakes.
    """
    paint, width = Paint(color), clamp(width)
    said = notices(found)
    blocks = [
        _verdict(found, width, paint) + sentences([n for n in said if n.severity != "fact"], width, paint),
        _read(found, width, paint),
        _clock(found, width, paint),
        _packets(found, width, paint),
        _time(found, width, paint),
        _outcomes(found, width, paint),
        _handshakes(found, width, paint, top),
        sentences([n for n in said if n.severity == "fact"], width, paint),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _verdict(found: Against, width: int, paint: Paint) -> list[str]:
    """The first line where nothing was lost and something was compared."""
    if found.with_loss or not found.common:
        return []
    several = found.common > 1
    connects = every(found.common, "connect") if several else "the only connect"
    text = f"Nothing was lost between the two points: {connects} of both captures passed whole."
    if any(row.not_judged for row in found.packets) or found.rewritten:
        text = f"No loss was found between the two points in {plural(found.common, 'common connect')}."
    if any(notice.kind in _FAILED_OUTSIDE for notice in notices(found)):
        text = f"Nothing was lost between the two points: what failed in {connects} failed outside of them."
        return wrap(text, width)
    return [paint("good", line) for line in wrap(text, width)]


def _read(found: Against, width: int, paint: Paint) -> list[str]:
    lines: list[str] = []
    sides: tuple[tuple[Point, tuple[Input, ...], PointTotals], ...] = (
        ("a", found.inputs_a, found.a),
        ("b", found.inputs_b, found.b),
    )
    for point, inputs, held in sides:
        text = f"{_files(inputs)}: {plural(held.packets, 'packet')}, {plural(held.handshakes, 'handshake')}"
        if found.near_client is not None:
            text += f"; nearer to the {'client' if point == found.near_client else 'server'}"
        lines += _labelled(point.upper(), text, width, paint)
        if held.start_ns is not None:
            lines += _labelled("", span(held.start_ns, held.end_ns), width, paint)
        defects = sum(sum(item.defects.values()) for item in inputs)
        if defects:
            lines += _labelled("", f"{plural(defects, 'defect')}; `halfopen trace` on it names them", width, paint)
    return lines + _labelled("Common", _common(found), width, paint)


def _files(inputs: Sequence[Input]) -> str:
    names = ["standard input" if item.path == "-" else escape_text(item.path) for item in inputs]
    return names[0] if len(names) == 1 else f"{names[0]} and {plural(len(names) - 1, 'more file')}" if names else "?"


def _common(found: Against) -> str:
    text = plural(found.common, "handshake")
    if found.only_a or found.only_b:
        text += f"; only in A {grouped(found.only_a)}, only in B {grouped(found.only_b)}"
    return text


def _clock(found: Against, width: int, paint: Paint) -> list[str]:
    clock = found.clock
    if clock.offset_us is None or clock.uncertainty_us is None:
        return []
    ahead = "ahead of" if clock.offset_us >= 0 else "behind"
    offset = measured(abs(clock.offset_us), clock.uncertainty_us)
    text = f"B is {offset} {ahead} A, ± {duration(clock.uncertainty_us)}"
    if abs(clock.offset_us) <= clock.uncertainty_us:
        text += ", so they may agree"
    if clock.drift_ppm is not None and clock.drift_uncertainty_ppm is not None:
        gains = "gains" if clock.drift_ppm >= 0 else "loses"
        text += f"; it {gains} {abs(clock.drift_ppm):.1f} ppm, ± {clock.drift_uncertainty_ppm:.1f}"
    text += (
        f". No packet can arrive before it was sent: {grouped(clock.packets_from_a)} one way and "
        f"{grouped(clock.packets_from_b)} the other leave no more room than their shortest round trip, "
        f"{duration(clock.shortest_round_trip_us)}."
    )
    return _labelled("Clocks", text, width, paint)


def _packets(found: Against, width: int, paint: Paint) -> list[str]:
    rows = [_packet_row(row) for row in found.packets]
    if not rows:
        return []
    columns = [
        Column("Packets"),
        Column("direction", keep=1),
        Column("sent", right=True),
        Column("arrived", right=True),
        Column("lost", right=True),
        Column("", right=True),
        Column("not captured", right=True, keep=2),
        Column("not judged", right=True, keep=3),
    ]
    return table(columns, rows, width, paint, indent="")


def _packet_row(row: PacketCounts) -> list[Cell | str]:
    judged = row.passed + row.lost
    return [
        KIND_WORDS.get(row.kind, escape_text(row.kind)),
        "to the server" if row.sender == "client" else "to the client",
        grouped(judged + row.not_captured + row.not_judged),
        grouped(row.passed + row.not_captured),
        Cell(grouped(row.lost), "bad" if row.lost else ""),
        share(row.lost, judged) if row.lost else "",
        grouped(row.not_captured) if row.not_captured else "",
        grouped(row.not_judged) if row.not_judged else "",
    ]


def _time(found: Against, width: int, paint: Paint) -> list[str]:
    near = found.near_client
    if near is None:
        return []
    far = "B" if near == "a" else "A"
    here, times = near.upper(), found.split_us
    sure = found.clock.uncertainty_us
    about = "" if sure is None else f", ± {duration(sure)}"
    shown = (
        (f"between {here} and {far}", times.between, "there and back"),
        (f"  {here} → {far}", times.there, f"the SYN{about}"),
        (f"  {far} → {here}", times.back, f"the SYN-ACK{about}"),
        (f"behind {far}", times.server_side, "SYN → SYN-ACK: the server, and the way to it"),
        (f"before {here}", times.client_side, "SYN-ACK → ACK: the client, and the way to it"),
    )
    rows: list[list[Cell | str]] = [
        [name, *_percentiles(values), Cell(what, "dim")] for name, values, what in shown if values.count
    ]
    if not rows:
        return []
    columns = [
        Column("Time"),
        *(Column(title, right=True) for title in ("p50", "p90", "p99", "max")),
        Column("", keep=1),
    ]
    return table(columns, rows, width, paint, indent="")


def _percentiles(times: Latency) -> list[str]:
    return [duration(value) for value in (times.p50, times.p90, times.p99, times.max)]


def _outcomes(found: Against, width: int, paint: Paint) -> list[str]:
    parts = [
        f"{_outcome(a)} in A and {_outcome(b)} in B: {grouped(count)}" for a, b, count in sorted(found.outcomes_differ)
    ]
    return _labelled("Differing", ", ".join(parts), width, paint) if parts else []


def _outcome(name: str) -> str:
    return OUTCOME_WORDS.get(name, escape_text(name))


def _handshakes(found: Against, width: int, paint: Paint, top: int) -> list[str]:
    rows = found.handshakes[:top]
    if not rows:
        return []
    note = plural(found.with_loss, "handshake")
    if found.with_loss > len(rows):
        note = f"{len(rows)} of {note}, most losses first"
    columns = [
        Column("in A", right=True),
        Column("in B", right=True),
        Column("client → server", shrink=24),
        Column("lost"),
        Column("frames in A", keep=2),
        Column("frames in B", keep=1),
    ]
    several = (len(found.inputs_a) > 1, len(found.inputs_b) > 1)
    title = "Lost packets"
    lines = wrap(f"{note}; ! marks the frame of a packet that was lost", width, first=" " * (len(title) + 2), rest="  ")
    lines = [paint("head", title) + paint("dim", lines[0][len(title) :]), *(paint("dim", line) for line in lines[1:])]
    return lines + table(columns, [_handshake_row(row, several) for row in rows], width, paint)


def _handshake_row(row: Compared, several: tuple[bool, bool]) -> list[Cell | str]:
    lost: dict[str, int] = {}
    for sent in row.packets:
        if sent.fate == "lost":
            lost[sent.kind] = lost.get(sent.kind, 0) + 1
    what = [
        (f"{grouped(count)} " if count > 1 else "") + KIND_WORDS.get(kind, kind) + ("s" if count > 1 else "")
        for kind, count in lost.items()
    ]
    peers = f"{endpoint(row.client, row.client_port)} → {endpoint(row.server, row.server_port)}"
    return [
        UNKNOWN if row.a is None else str(row.a.number),
        UNKNOWN if row.b is None else str(row.b.number),
        peers,
        Cell(", ".join(what), "bad"),
        _frames([(sent.a, sent.fate == "lost") for sent in row.packets], several=several[0]),
        _frames([(sent.b, sent.fate == "lost") for sent in row.packets], several=several[1]),
    ]


def _frames(places: list[tuple[Place | None, bool]], *, several: bool) -> str:
    """``3262! 4570! 5053``; where not all fit, the lost ones. With several files, each after the number of its file."""
    known = [(place, lost) for place, lost in places if place is not None]
    chosen = sorted(sorted(known, key=lambda item: not item[1])[:_FRAMES], key=lambda item: item[0].time_ns)
    texts = [
        (f"{place.file + 1}:" if several else "") + str(place.frame) + ("!" if lost else "") for place, lost in chosen
    ]
    return " ".join([*texts, *(["…"] if len(known) > _FRAMES else [])]) or UNKNOWN


def _labelled(label: str, text: str, width: int, paint: Paint) -> list[str]:
    lines = wrap(text, width, first=" " * _LABEL)
    return [paint("head", label.ljust(_LABEL)) + lines[0][_LABEL:], *lines[1:]]
