"""Captures as lists of (nanoseconds, Ethernet frame): read, changed and written for the tests of comparisons."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

_HEADER = struct.Struct("<IHHiIII")
_RECORD = struct.Struct("<IIII")
_NANOSECONDS = 0xA1B23C4D


class Packet(NamedTuple):
    """One captured frame."""

    time_ns: int
    data: bytes


class Segment(NamedTuple):
    """The numbers of a TCP segment over IPv4."""

    source: str
    source_port: int
    destination: str
    destination_port: int
    seq: int
    ack: int
    flags: int
    length: int


def read(path: Path) -> list[Packet]:
    """The packets of a little-endian pcap file with microseconds."""
    data = path.read_bytes()
    packets, at = [], _HEADER.size
    while at < len(data):
        seconds, fraction, length, _ = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        packets.append(Packet(seconds * 10**9 + fraction * 1000, data[at : at + length]))
        at += length
    return packets


def write(path: Path, packets: Iterable[Packet]) -> Path:
    """A pcap file with nanoseconds, in the order of time."""
    with path.open("wb") as file:
        file.write(_HEADER.pack(_NANOSECONDS, 2, 4, 0, 0, 0x40000, 1))
        for packet in sorted(packets, key=lambda p: p.time_ns):
            seconds, fraction = divmod(packet.time_ns, 10**9)
            file.write(_RECORD.pack(seconds, fraction, len(packet.data), len(packet.data)) + packet.data)
    return path


def segment(packet: Packet) -> Segment | None:
    """What it is; None for anything but TCP over IPv4 over Ethernet."""
    data = packet.data
    if data[12:14] != b"\x08\x00" or data[23] != 6:
        return None
    header = (data[14] & 15) * 4
    at = 14 + header
    source_port, destination_port, seq, ack = struct.unpack_from(">HHII", data, at)
    length = int.from_bytes(data[16:18]) - header - (data[at + 12] >> 4) * 4
    source, destination = (".".join(map(str, data[i : i + 4])) for i in (26, 30))
    return Segment(source, source_port, destination, destination_port, seq, ack, data[at + 13], length)


def make(
    time_ns: int,
    what: Segment,
    *,
    ttl: int = 64,
    ip_id: int = 0,
    timestamps: tuple[int, int] | None = None,
) -> Packet:
    """A packet with these numbers; checksums are 0."""
    options = b"" if timestamps is None else struct.pack(">BBBBII", 1, 1, 8, 10, *timestamps)
    offset = (20 + len(options)) // 4
    tcp = struct.pack(
        ">HHIIBBHHH", what.source_port, what.destination_port, what.seq, what.ack, offset << 4, what.flags, 64240, 0, 0
    )
    total = 20 + len(tcp) + len(options) + what.length
    ends = bytes(int(part) for address in (what.source, what.destination) for part in address.split("."))
    ip = struct.pack(">BBHHHBBH", 0x45, 0, total, ip_id, 0x4000, ttl, 6, 0) + ends
    return Packet(time_ns, bytes(12) + b"\x08\x00" + ip + tcp + options + bytes(what.length))
