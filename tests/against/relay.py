"""The other half of a lab capture: what the server's end saw, from the client's capture and the relay's account.

The relay stood between the two ends and noted each packet with what it did to it, so its account is the truth that a
comparison has to find again.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from typing import TYPE_CHECKING, Any

from tests.against.pcap import ACK, RST, SYN, Packet, Segment, make, read, segment

if TYPE_CHECKING:
    from pathlib import Path

#: The relay sits next to both ends: a packet reaches it this long after it was captured where it was sent.
WIRE_NS = 5_000


def server_side(client: Path, relay: Path) -> list[Packet]:
    """The packets at the server's end."""
    account = json.loads(relay.read_text(encoding="utf-8"))
    captured: dict[tuple[int, ...], deque[Packet]] = defaultdict(deque)
    ends: dict[int, tuple[str, str]] = {}
    for packet in read(client):
        if (found := segment(packet)) is not None:
            captured[_numbers(found)].append(packet)
            ends[found.source_port] = found.source, found.destination
    at_server = []
    for number, entry in enumerate(account):
        passed, time_ns = bool(entry["delays"]), round(entry["t"] * 1e9)
        key = tuple(entry[name] for name in ("sp", "dp", "seq", "ack", "fl", "len"))
        known = captured[key].popleft() if entry["dir"] == "c" or passed else None
        if entry["dir"] == "c":
            if passed and known is not None:
                at_server.append(Packet(time_ns + round(entry["delays"][0] * 1e9) + WIRE_NS, known.data))
            continue
        data = known.data if known is not None else _lost(entry, ends[entry["sp"]], number)
        at_server.append(Packet(time_ns - WIRE_NS, data))
    return at_server


def _numbers(found: Segment) -> tuple[int, ...]:
    return found.source_port, found.destination_port, found.seq, found.ack, found.flags, found.length


def _lost(entry: dict[str, Any], ends: tuple[str, str], number: int) -> bytes:
    """A packet of the server that the client never saw: no capture has its bytes, only its numbers are known."""
    what = Segment(ends[0], entry["sp"], ends[1], entry["dp"], entry["seq"], entry["ack"], entry["fl"], entry["len"])
    # A TSval that no other packet has: a retransmission's is later than that of the one before.
    stamps = (number, 0) if entry["fl"] & SYN else None
    return make(0, what, timestamps=stamps).data


def lost(relay: Path) -> Counter[tuple[str, str]]:
    """How many packets of each kind of a handshake the relay dropped, as (kind, sender)."""
    account = json.loads(relay.read_text(encoding="utf-8"))
    answers = {(e["dp"], e["ack"]): e["seq"] + 1 & 0xFFFFFFFF for e in account if e["fl"] & (SYN | ACK) == SYN | ACK}
    dropped: Counter[tuple[str, str]] = Counter()
    for entry in account:
        kind = _kind(entry, answers)
        if kind is not None and not entry["delays"]:
            dropped[kind, "client" if entry["dir"] == "c" else "server"] += 1
    return dropped


def _kind(entry: dict[str, Any], answers: dict[tuple[int, int], int]) -> str | None:
    flags = entry["fl"]
    if flags & SYN:
        return "syn_ack" if flags & ACK else "syn"
    if flags & RST:
        return None  # all of this capture close a connection
    final = answers.get((entry["sp"], entry["seq"])) == entry["ack"] and not entry["len"] and flags == ACK
    return "ack" if final and entry["dir"] == "c" else None
