"""The handshakes of an experiment over time: the figure of every experiment whose packets are kept."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from halfopen.lab.kinds import first_seen, kind_of
from halfopen.model.exchange import ExchangePacket
from halfopen.model.experiment import Lane, Mark, Timeline
from halfopen.render.ladder import flag_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from halfopen.lab.recording import Recording
    from halfopen.model.exchange import Exchange
    from halfopen.model.handshake import Handshake

#: What a page holds without scrolling; of those that are alike; and packets of one connection.
LANES_MAX, ALIKE_MAX, MARKS_MAX = 14, 3, 40


def timeline(recordings: Sequence[Recording]) -> Timeline | None:
    """The first handshakes of each kind, in the order in which they began; None where no packet was seen."""
    seen = first_seen(recordings)
    kinds: dict[object, list[tuple[Recording, Handshake]]] = defaultdict(list)
    for recording, row in seen:
        kinds[kind_of(row)].append((recording, row))
    if not kinds:
        return None
    each = max(1, min(ALIKE_MAX, LANES_MAX // len(kinds)))
    chosen = [(found, len(alike)) for alike in kinds.values() for found in alike[:each]]
    chosen.sort(key=lambda item: item[0][1].start_ns or 0)
    lanes = [_lane(recording, row, alike) for (recording, row), alike in chosen[:LANES_MAX]]
    title = "Handshakes, packet by packet"
    if len(seen) > len(lanes):
        title += f": {len(lanes)} of {len(seen)}, of each kind the first"
    return Timeline(title, tuple(lanes))


def _lane(recording: Recording, row: Handshake, alike: int) -> Lane:
    assert row.number is not None
    (exchange,) = recording.exchanges([row.number])
    # «client2» tells networks apart, «client» nothing.
    host = "" if recording.name == "client" else f", {recording.name}"
    return Lane(f"{row.client_port} → {row.server_port}{host}", row.outcome, alike, tuple(_marks(exchange))[:MARKS_MAX])


def _marks(exchange: Exchange) -> Iterable[Mark]:
    begin = next((event.time_ns for event in exchange.events if event.time_ns is not None), 0)
    for event in exchange.events:
        if event.time_ns is None:
            continue
        at_s = (event.time_ns - begin) / 1e9
        if isinstance(event, ExchangePacket):
            yield Mark(at_s, _word(event), event.from_client)
        else:
            yield Mark(at_s, "ICMP", not event.to_client)


def _word(packet: ExchangePacket) -> str:
    for name in ("RST", "FIN"):
        if packet.has(name):
            return name
    if packet.has("SYN"):
        return "SYN-ACK" if packet.has("ACK") else "SYN"
    return "data" if packet.payload_len else flag_words(packet.flags)
