"""``halfopen lab run --ladder``: one handshake of each kind that an experiment made, packet by packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.render.ladder import render_ladder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.lab.recording import Recording
    from halfopen.model.handshake import Handshake

#: A person looks at so many.
LADDERS_MAX = 4


def draw(recordings: Sequence[Recording], width: int) -> list[str]:
    """The first of each kind, as the first host that saw it did: in most experiments the client."""
    drawn: list[str] = []
    kinds: set[object] = set()
    attempts: set[object] = set()
    for recording in recordings:
        chosen: list[int] = []
        for row in recording.handshakes():
            # The other side saw the same one, and may have seen less of it.
            attempt = (row.client, row.client_port, row.isn_client)
            if attempt in attempts or len(drawn) + len(chosen) == LADDERS_MAX:
                continue
            attempts.add(attempt)
            if _kind(row) not in kinds and row.number is not None:
                kinds.add(_kind(row))
                chosen.append(row.number)
        if chosen:
            drawn += [render_ladder(exchange, width) for exchange in recording.exchanges(chosen)]
    return drawn


def _kind(row: Handshake) -> object:
    many = (row.syn_sent or 0) > 1, (row.syn_ack_sent or 0) > 1
    return row.outcome, *many, row.simultaneous, row.fast_open, row.close, row.time_wait, row.anomalies
