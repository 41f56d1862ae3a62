"""Tables of single handshakes: what to draw as a ladder, and which frames to open in Wireshark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.icmp import icmp_words
from halfopen.model.quantity import UNKNOWN, duration, endpoint, grouped
from halfopen.render.escape import escape_text
from halfopen.render.layout import Cell, Column, Paint, table
from halfopen.render.words import OUTCOME_WORDS, outcome_role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.handshake import Handshake

#: Said by the outcome or by another column already.
_SAID_ELSEWHERE = {"syn_retransmitted", "syn_ack_retransmitted", "evicted", "port_reused"}


def failed_table(rows: Sequence[Handshake], origin_ns: int | None, width: int, paint: Paint) -> list[str]:
    """Attempts that did not complete; times count from ``origin_ns``."""
    columns = [
        Column("number", right=True),
        Column("at", right=True, keep=1),
        Column("client → server", shrink=24),
        Column("outcome"),
        Column("SYNs", right=True, keep=4),
        Column("frame", right=True, keep=3),
        Column("why", keep=2, words=16),
    ]
    return table(columns, [_failed_row(row, origin_ns) for row in rows], width, paint)


def slowest_table(rows: Sequence[Handshake], width: int, paint: Paint) -> list[str]:
    """Handshakes by the time they took."""
    columns = [
        Column("number", right=True),
        Column("handshake", right=True),
        Column("waited", right=True, keep=3),
        Column("client → server", shrink=24),
        Column("SYNs", right=True, keep=4),
        Column("frames", keep=2),
        Column("why", keep=1, words=16),
    ]
    return table(columns, [_slow_row(row) for row in rows], width, paint)


def peers(row: Handshake) -> str:
    """``10.0.0.1:40000 → 10.0.0.5:443``."""
    return f"{endpoint(row.client, row.client_port)} → {endpoint(row.server, row.server_port)}"


def _failed_row(row: Handshake, origin_ns: int | None) -> list[Cell | str]:
    at = "" if origin_ns is None or row.start_ns is None else duration((row.start_ns - origin_ns) / 1000)
    return [
        plain(row.number),
        at,
        peers(row),
        Cell(OUTCOME_WORDS.get(row.outcome, escape_text(row.outcome)), outcome_role(row.outcome)),
        grouped(row.syn_sent),
        plain(row.frame_syn),
        why(row),
    ]


def _slow_row(row: Handshake) -> list[Cell | str]:
    waited = UNKNOWN if row.retransmit_wait_us is None else duration(row.retransmit_wait_us)
    return [
        plain(row.number),
        duration(row.handshake_us),
        Cell(waited, "warn" if row.retransmit_wait_us else ""),
        peers(row),
        grouped(row.syn_sent),
        frames(row),
        why(row),
    ]


def frames(row: Handshake) -> str:
    """Frame numbers of SYN, SYN-ACK and ACK."""
    return ", ".join(plain(frame) for frame in (row.frame_syn, row.frame_syn_ack, row.frame_ack))


def plain(number: int | None) -> str:
    """Without grouping: numbers to be typed or pasted elsewhere."""
    return UNKNOWN if number is None else str(number)


def why(row: Handshake) -> str:
    """What is to be said of it beyond its outcome, in a few words."""
    said = icmp_words(row)
    words = [f"{said} from {row.icmp_from}" if row.icmp_from else said] if said else []
    if row.retransmit_wait_us == 0 and (row.syn_sent or 0) > 1:
        words.append("SYN-ACK lost or late")
    if row.outcome == "established" and (row.syn_ack_sent or 0) > 1:
        words.append(f"SYN-ACK sent {row.syn_ack_sent} times")
    words += [escape_text(name) for name in row.anomalies if name not in _SAID_ELSEWHERE]
    return ", ".join(words)
