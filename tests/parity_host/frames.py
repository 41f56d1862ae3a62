"""Frames by hand, and those of a capture read by hand: after RFC 791, RFC 8200, RFC 9293 and the pcap description."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

A4, B4 = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
A6, B6 = IPv6Address("2001:db8::1"), IPv6Address("2001:db8::2")
FIN, SYN, RST, ACK = 1, 2, 4, 16
TCP, ICMP, ICMP6 = 6, 1, 58
IP4, IP6, VLAN, QINQ, ARP = 0x0800, 0x86DD, 0x8100, 0x88A8, 0x0806


def tcp(flags: int, *, data: bytes = b"", source: int = 4000, destination: int = 80, options: bytes = b"") -> bytes:
    """A segment; nobody looks at its checksum."""
    words = (5 + len(options) // 4) << 4
    return struct.pack("!HHIIBBHHH", source, destination, 1, 2, words, flags, 100, 0, 0) + options + data


def ip4(
    payload: bytes, *, protocol: int = TCP, fragment: int = 0, options: bytes = b"", source: IPv4Address = A4
) -> bytes:
    version = 0x40 | 5 + len(options) // 4
    total = 20 + len(options) + len(payload)
    head = struct.pack("!BBHHHBBH", version, 0, total, 0, fragment, 64, protocol, 0)
    return head + source.packed + B4.packed + options + payload


def ip6(payload: bytes, *, following: int = TCP, source: IPv6Address = A6) -> bytes:
    return struct.pack("!IHBB", 6 << 28, len(payload), following, 64) + source.packed + B6.packed + payload


def extension(following: int, payload: bytes, units: int = 0) -> bytes:
    """An extension header of ``units`` times 8 bytes beyond the first 8, and what follows it."""
    return bytes([following, units]) + bytes(6 + 8 * units) + payload


def fragment6(following: int, payload: bytes, offset: int = 0) -> bytes:
    return struct.pack("!BBHI", following, 0, offset << 3, 7) + payload


def ethernet(kind: int, payload: bytes, *tags: tuple[int, int]) -> bytes:
    """A broadcast frame; ``tags`` are (EtherType, tag), the outermost first. Padded to 60 bytes, as wires do."""
    head = b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"".join(struct.pack("!HH", *tag) for tag in tags)
    return (head + struct.pack("!H", kind) + payload).ljust(60, b"\0")


@dataclass(frozen=True)
class Captured:
    """A packet of a LINUX_SLL2 capture."""

    time_ns: int
    wire_len: int
    protocol: int
    interface: int
    direction: int
    payload: bytes


def read_sll2(path: Path) -> list[Captured]:
    """Every packet of a file, which must be pcap with nanoseconds, version 2.4, link type 276."""
    data = path.read_bytes()
    assert struct.unpack_from("=IHHIII", data) == (0xA1B23C4D, 2, 4, 0, 0, struct.unpack_from("=I", data, 16)[0])
    assert struct.unpack_from("=I", data, 20) == (276,)
    found, at = [], 24
    while at < len(data):
        seconds, fraction, kept, length = struct.unpack_from("=IIII", data, at)
        at += 16
        protocol, _, interface, _, direction = struct.unpack_from("!HHIHB", data, at)
        time_ns = seconds * 10**9 + fraction
        found.append(Captured(time_ns, length, protocol, interface, direction, data[at + 20 : at + kept]))
        at += kept
    return found
