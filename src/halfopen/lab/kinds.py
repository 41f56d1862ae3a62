"""Which handshakes of an experiment are worth drawing: each seen once, and of each kind the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.lab.recording import Recording
    from halfopen.model.handshake import Handshake


def first_seen(recordings: Sequence[Recording]) -> list[tuple[Recording, Handshake]]:
    """Every handshake once, as the first host that saw it did: in most experiments the client.

    The other side saw the same one, and may have seen less of it.
    """
    found: list[tuple[Recording, Handshake]] = []
    attempts: set[object] = set()
    for recording in recordings:
        for row in recording.handshakes():
            attempt = (row.client, row.client_port, row.isn_client)
            if attempt not in attempts and row.number is not None:
                attempts.add(attempt)
                found.append((recording, row))
    return found


def kind_of(row: Handshake) -> object:
    """Equal for handshakes that look alike."""
    many = (row.syn_sent or 0) > 1, (row.syn_ack_sent or 0) > 1
    return row.outcome, *many, row.simultaneous, row.fast_open, row.close, row.time_wait, row.anomalies
