"""Conversations as text, in the notation of ``crates/track/tests/scenarios``: what fails is pasted there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.model.segments import ACK, AE, CWR, ECE, FIN, PSH, RST, SYN, Segment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.model.capture import Captured

_LETTERS = {SYN: "S", FIN: "F", RST: "R", PSH: "P", ACK: ".", ECE: "E", CWR: "W", AE: "A"}


def told(packets: Sequence[Captured]) -> str:
    """One line a packet."""
    start = packets[0].time_ns if packets else 0
    return "\n".join(f"{(packet.time_ns - start) / 1e9:.6f} {_told(packet)}" for packet in packets)


def _told(packet: Captured) -> str:
    what = packet.what
    if not isinstance(what, Segment):
        return f"r icmp 3/1 about {'cs'[what.about.side]} > {'sc'[what.about.side]} seq={what.about.seq}"
    letters = "".join(letter for flag, letter in _LETTERS.items() if what.has(flag))
    way = "<" if what.side else ">"
    numbers = f"seq={what.seq} ack={what.ack} len={what.length} ttl={packet.ttl} id={packet.ip_id}"
    remarks = " ".join(word for word, is_so in (("# copy", packet.copy), ("# forged", what.forged)) if is_so)
    return f"c {way} s {letters} {numbers} {remarks}".rstrip()
