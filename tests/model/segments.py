"""What two ends send each other, and its bytes: RFC 9293 section 3.1, RFC 791, RFC 8200, RFC 792, RFC 4443."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

FIN, SYN, RST, PSH, ACK, ECE, CWR, AE = 1, 2, 4, 8, 16, 64, 128, 256
SPAN = 1 << 32

Address = IPv4Address | IPv6Address


def ahead(start: int, to: int) -> int:
    """How far ``to`` lies ahead of ``start``; negative when it lies behind (RFC 9293 section 3.4)."""
    return (to - start + SPAN // 2) % SPAN - SPAN // 2


@dataclass(frozen=True)
class Options:
    """What a SYN or a SYN-ACK offers."""

    mss: int | None = 1460
    window_scale: int | None = 7
    sack: bool = True
    timestamps: tuple[int, int] | None = None
    fast_open: bytes | None = None
    """A cookie; empty for the request of one."""

    def encode(self) -> bytes:
        """The option list, padded to words."""
        out = b"" if self.mss is None else struct.pack("!BBH", 2, 4, self.mss)
        if self.sack:
            out += b"\x04\x02"
        if self.timestamps is not None:
            out += struct.pack("!BBII", 8, 10, *self.timestamps)
        if self.window_scale is not None:
            out += bytes((3, 3, self.window_scale))
        if self.fast_open is not None:
            out += bytes((34, 2 + len(self.fast_open))) + self.fast_open
        return out + b"\x01" * (-len(out) % 4)


@dataclass(frozen=True)
class Segment:
    """A segment as its sender made it."""

    side: int
    """The end that sent it, or that it pretends to come from: 0 or 1."""
    flags: int
    seq: int
    ack: int = 0
    length: int = 0
    options: Options | None = None
    window: int = 502
    forged: bool = False
    """Neither end sent it."""

    def has(self, flags: int) -> bool:
        """Whether all of these flags are set."""
        return self.flags & flags == flags

    @property
    def is_syn(self) -> bool:
        """A SYN without an acknowledgment."""
        return self.flags & (SYN | ACK | RST) == SYN

    @property
    def is_syn_ack(self) -> bool:
        """A SYN with one."""
        return self.flags & (SYN | ACK | RST) == SYN | ACK

    @property
    def end(self) -> int:
        """One past its last sequence number."""
        return (self.seq + self.length + bool(self.flags & SYN) + bool(self.flags & FIN)) % SPAN

    def encode(self, ports: tuple[int, int]) -> bytes:
        """Header and data; the checksum is left 0, as offloading does."""
        options = self.options.encode() if self.options else b""
        word = (5 + len(options) // 4) << 12 | self.flags
        numbers = (ports[self.side], ports[1 - self.side], self.seq, self.ack, word, self.window, 0, 0)
        return struct.pack("!HHIIHHHH", *numbers) + options + bytes(self.length)


@dataclass(frozen=True)
class Unreachable:
    """An ICMP error about a segment, sent to its sender."""

    about: Segment
    code: int = 1
    kept: int = 8
    """Bytes of the segment that it quotes: RFC 792 asks for 8."""


@dataclass(frozen=True)
class Ends:
    """Addresses and ports of both sides."""

    addresses: tuple[Address, Address]
    ports: tuple[int, int]
    router: Address

    def frame(self, what: Segment | Unreachable, *, ttl: int = 64, ip_id: int = 0) -> bytes:
        """An Ethernet frame of it."""
        if isinstance(what, Segment):
            source, destination = self.addresses[what.side], self.addresses[1 - what.side]
            return _ethernet(_ip(source, destination, 6, what.encode(self.ports), ttl=ttl, ip_id=ip_id))
        back = self.addresses[what.about.side]
        quoted = _ip(
            back, self.addresses[1 - what.about.side], 6, what.about.encode(self.ports), ttl=ttl - 9, ip_id=ip_id
        )
        header = 40 if back.version == 6 else 20
        kind, protocol = (1, 58) if back.version == 6 else (3, 1)
        body = struct.pack("!BBHI", kind, what.code, 0, 0) + quoted[: header + what.kept]
        return _ethernet(_ip(self.router, back, protocol, body, ttl=250, ip_id=0))


def _ip(source: Address, destination: Address, protocol: int, payload: bytes, *, ttl: int, ip_id: int) -> bytes:
    ends = source.packed + destination.packed
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(payload), protocol, ttl) + ends + payload
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ip_id, 0x4000, ttl, protocol, 0) + ends + payload


def _ethernet(packet: bytes) -> bytes:
    kind = b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00"
    return b"\x02\0\0\0\0\1\x02\0\0\0\0\2" + kind + packet
