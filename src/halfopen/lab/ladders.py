"""``halfopen lab run --ladder``: one handshake of each kind that an experiment made, packet by packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.kinds import first_seen, kind_of
from halfopen.render.ladder import render_ladder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.lab.recording import Recording

#: A person looks at so many.
LADDERS_MAX = 4


def draw(recordings: Sequence[Recording], width: int) -> list[str]:
    """The first of each kind."""
    kinds: set[object] = set()
    drawn: list[str] = []
    for recording, row in first_seen(recordings):
        kind = kind_of(row)
        if kind in kinds or len(drawn) == LADDERS_MAX or row.number is None:
            continue
        kinds.add(kind)
        drawn += [render_ladder(exchange, width) for exchange in recording.exchanges([row.number])]
    return drawn
