"""Writes packets as captures of every container: pcap and pcapng in all their variants, gzip, zstd.

Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, libpcap's savefile.c for the modified format, RFC 8878 for
zstd. Packets are (nanoseconds since the epoch, bytes of the frame).
"""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

Packet = tuple[int, bytes]

ETHERNET = 1
MICROSECONDS, NANOSECONDS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34


def read_pcap(path: Path) -> list[Packet]:
    """The packets of a little-endian pcap file, as our own captures are."""
    data = path.read_bytes()
    unit = {MICROSECONDS: 1000, NANOSECONDS: 1}[struct.unpack_from("<I", data)[0]]
    found, at = [], 24
    while at < len(data):
        seconds, fraction, kept, _length = struct.unpack_from("<4I", data, at)
        found.append((seconds * 10**9 + fraction * unit, data[at + 16 : at + 16 + kept]))
        at += 16 + kept
    return found


def pcap(packets: Iterable[Packet], link: int = ETHERNET, *, order: str = "<", magic: int = NANOSECONDS) -> bytes:
    """A pcap file. ``MODIFIED`` has eight more bytes a record: interface, protocol, packet type (and microseconds)."""
    unit = 1 if magic == NANOSECONDS else 1000
    out = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 262_144, link)]
    for time, frame in packets:
        seconds, rest = divmod(time, 10**9)
        out.append(struct.pack(f"{order}4I", seconds, rest // unit, len(frame), len(frame)))
        if magic == MODIFIED:
            out.append(struct.pack(f"{order}IHBB", 2, 0x0800, 0, 0))
        out.append(frame)
    return b"".join(out)


# --- pcapng ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Interface:
    """What an interface description block says."""

    link: int = ETHERNET
    resolution: int = 9
    """``if_tsresol``: 10^-n, or 2^-n with the highest bit set."""
    offset: int = 0
    """``if_tsoffset``, seconds."""

    @property
    def ticks_per_second(self) -> int:
        """How fast its clock runs."""
        base = 2 if self.resolution & 0x80 else 10
        return int(base ** (self.resolution & 0x7F))

    def ticks(self, time: int) -> int:
        """The stamp of a time in nanoseconds, rounded down."""
        return (time - self.offset * 10**9) * self.ticks_per_second // 10**9

    def seen(self, time: int) -> int:
        """The nanoseconds that are left of a time after it was stamped."""
        return self.ticks(time) * 10**9 // self.ticks_per_second + self.offset * 10**9


def block(order: str, kind: int, body: bytes) -> bytes:
    """A pcapng block: kind, length, body, length."""
    body += bytes(-len(body) % 4)
    length = len(body) + 12
    return struct.pack(f"{order}II", kind, length) + body + struct.pack(f"{order}I", length)


def option(order: str, code: int, value: bytes) -> bytes:
    """A pcapng option, padded."""
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(
    packets: Sequence[Packet],
    interfaces: Sequence[Interface] = (Interface(),),
    *,
    order: str = "<",
    kind: str = "enhanced",
) -> bytes:
    """One section; packet number i goes to interface i modulo their number. ``kind``: enhanced, simple, obsolete."""
    out = [block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for interface in interfaces:
        options = option(order, 2, b"eth0") + option(order, 9, bytes([interface.resolution]))
        options += option(order, 14, struct.pack(f"{order}q", interface.offset)) + option(order, 0, b"")
        out.append(block(order, 1, struct.pack(f"{order}HHI", interface.link, 0, 262_144) + options))
    for at, (time, frame) in enumerate(packets):
        number = at % len(interfaces)
        high, low = divmod(interfaces[number].ticks(time), 1 << 32)
        if kind == "enhanced":
            head, code = struct.pack(f"{order}5I", number, high, low, len(frame), len(frame)), 6
        elif kind == "obsolete":
            head, code = struct.pack(f"{order}HH4I", number, 0, high, low, len(frame), len(frame)), 2
        else:
            head, code = struct.pack(f"{order}I", len(frame)), 3
        out.append(block(order, code, head + frame))
    return b"".join(out)


#: Blocks that hold no packet: statistics, names, and one that nobody knows. Wireshark gives custom ones a frame number.
STATISTICS, NAMES, UNKNOWN, CUSTOM = 5, 4, 0x7777, 0x0BAD


def strange_blocks(*kinds: int, order: str = "<") -> bytes:
    """One block of each kind, of 16 bytes of zero."""
    return b"".join(block(order, kind, bytes(16)) for kind in kinds)


# --- compression ----------------------------------------------------------------------------------------------------


def gzip_members(*parts: bytes) -> bytes:
    """A gzip file of several members, as ``cat a.gz b.gz`` makes one."""
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


def zstd_frames(*parts: bytes) -> bytes:
    """A zstd file with a frame a part, of uncompressed blocks (RFC 8878 section 3.1.1.2); skippable ones between."""
    skippable = struct.pack("<II", 0x184D2A50, 4) + b"skip"
    return skippable.join(_zstd_frame(part) for part in parts)


def _zstd_frame(data: bytes) -> bytes:
    blocks = [data[at : at + 65_536] for at in range(0, len(data), 65_536)] or [b""]
    out = [struct.pack("<IBB", 0xFD2FB528, 0, 0x38)]  # no content size, no checksum; window of 128 KiB
    for at, part in enumerate(blocks):
        last = at == len(blocks) - 1
        out.append((len(part) << 3 | last).to_bytes(3, "little") + part)
    return b"".join(out)
