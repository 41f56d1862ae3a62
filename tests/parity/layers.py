"""Puts an Ethernet frame's packet behind other link layers, tags and tunnels.

Sources: tcpdump.org/linktypes.html, IEEE 802.1Q, RFC 1661, 2516, 3032, 2003, 2784, 2890, 4213, 2473, 7348, 8926.
Every function takes an Ethernet II frame that holds IPv4 or IPv6, and gives the bytes of one of the other link type.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ADDRESSES = bytes.fromhex("020000000002 020000000001")
IPV4, IPV6 = 0x0800, 0x86DD


def payload(frame: bytes) -> tuple[int, bytes]:
    """EtherType and packet."""
    return struct.unpack_from(">H", frame, 12)[0], frame[14:]


def ethernet(kind: int, data: bytes) -> bytes:
    return ADDRESSES + struct.pack(">H", kind) + data


def _behind(head: Callable[[int], bytes]) -> Callable[[bytes], bytes]:
    """A link layer whose header depends upon nothing but the EtherType."""

    def put(frame: bytes) -> bytes:
        kind, data = payload(frame)
        return head(kind) + data

    return put


def _family(order: str) -> Callable[[int], bytes]:
    """NULL and LOOP: the address family of some BSD (30 is macOS's AF_INET6)."""
    return lambda kind: struct.pack(f"{order}I", 2 if kind == IPV4 else 30)


def _ppp(kind: int) -> bytes:
    return struct.pack(">H", 0x0021 if kind == IPV4 else 0x0057)


def _tagged(*tags: tuple[int, int]) -> Callable[[int], bytes]:
    """(EtherType of the tag, identifier), outermost first."""
    return lambda kind: (
        ADDRESSES + b"".join(struct.pack(">HH", tag, number) for tag, number in tags) + struct.pack(">H", kind)
    )


def _labels(*numbers: int) -> Callable[[int], bytes]:
    def head(_kind: int) -> bytes:
        last = len(numbers) - 1
        stack = [struct.pack(">I", number << 12 | (at == last) << 8 | 64) for at, number in enumerate(numbers)]
        return ADDRESSES + struct.pack(">H", 0x8847) + b"".join(stack)

    return head


def _sll(kind: int) -> bytes:
    return struct.pack(">HHH8sH", 0, 1, 6, ADDRESSES[6:] + bytes(2), kind)


def _sll2(kind: int) -> bytes:
    return struct.pack(">HHIHBB8s", kind, 0, 2, 1, 0, 6, ADDRESSES[6:] + bytes(2))


def ipv4(protocol: int, data: bytes) -> bytes:
    """An outer IPv4 header; its checksum is left to the network card, as in a capture on the sender."""
    length = 20 + len(data)
    return (
        struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 7, 0, 64, protocol, 0, b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x02")
        + data
    )


def ipv6(following: int, data: bytes) -> bytes:
    """An outer IPv6 header."""
    ends = bytes.fromhex("20010db8 00000000 00000000 000000f1 20010db8 00000000 00000000 000000f2")
    return struct.pack(">IHBB", 6 << 28, len(data), following, 64) + ends + data


def udp(port: int, data: bytes) -> bytes:
    return struct.pack(">HHHH", 50_000, port, 8 + len(data), 0) + data


def _in_ip(outer: Callable[[int, bytes], bytes], outer_kind: int) -> Callable[[bytes], bytes]:
    def put(frame: bytes) -> bytes:
        kind, data = payload(frame)
        return ethernet(outer_kind, outer(4 if kind == IPV4 else 41, data))

    return put


def _gre(flags: int, fields: bytes) -> Callable[[bytes], bytes]:
    def put(frame: bytes) -> bytes:
        kind, data = payload(frame)
        return ethernet(IPV4, ipv4(47, struct.pack(">HH", flags, kind) + fields + data))

    return put


def _gre_bridge(frame: bytes) -> bytes:
    """Transparent Ethernet bridging, as Linux's gretap sends it."""
    return ethernet(IPV4, ipv4(47, struct.pack(">HH", 0, 0x6558) + frame))


def _vxlan_over_ipv6(frame: bytes) -> bytes:
    return ethernet(IPV6, ipv6(17, udp(4789, struct.pack(">II", 0x0800_0000, 77 << 8) + frame)))


def _geneve(frame: bytes) -> bytes:
    """With one option of four bytes, which has to be passed over."""
    head = struct.pack(">BBHI", 2, 0, 0x6558, 77 << 8) + struct.pack(">HBB4s", 0x0102, 1, 1, b"opts")
    return ethernet(IPV4, ipv4(17, udp(6081, head + frame)))


def _ipv4_options(frame: bytes) -> bytes:
    """Router alert and no-operations in the IPv4 header."""
    kind, data = payload(frame)
    if kind != IPV4:
        return frame
    options = bytes.fromhex("94040000 01010101")
    length = struct.unpack_from(">H", data, 2)[0]  # what is beyond it is Ethernet's padding
    head = bytes([data[0] + len(options) // 4]) + data[1:2] + struct.pack(">H", length + len(options)) + data[4:20]
    return ethernet(IPV4, head + options + data[20:])


def _ipv6_extensions(frame: bytes) -> bytes:
    """Hop-by-hop and destination options before TCP, each of eight bytes."""
    kind, data = payload(frame)
    if kind != IPV6:
        return frame
    first = struct.pack(">BB6s", 60, 0, bytes.fromhex("010400000000"))
    second = struct.pack(">BB6s", data[6], 0, bytes.fromhex("010400000000"))
    head = data[:4] + struct.pack(">HB", len(data) - 40 + 16, 0) + data[7:40]
    return ethernet(IPV6, head + first + second + data[40:])


@dataclass(frozen=True)
class Layer:
    """How to put a frame there, and what our record then says."""

    link: int
    put: Callable[[bytes], bytes]
    vlan: tuple[int, ...] = ()
    tunnel: tuple[str | None, str | None] = (None, None)
    """For IPv4 and for IPv6 inside."""


LAYERS = {
    "padded": Layer(1, lambda frame: frame + bytes(max(0, 60 - len(frame)) + 4)),
    "raw": Layer(101, lambda frame: frame[14:]),
    "dlt-raw": Layer(12, lambda frame: frame[14:]),
    "dlt-raw-openbsd": Layer(14, lambda frame: frame[14:]),
    "null-little": Layer(0, _behind(_family("<"))),
    "null-big": Layer(0, _behind(_family(">"))),
    "loop": Layer(108, _behind(_family(">"))),
    "ppp": Layer(9, _behind(_ppp)),
    "ppp-hdlc": Layer(50, _behind(lambda kind: b"\xff\x03" + _ppp(kind))),
    "sll": Layer(113, _behind(_sll)),
    "sll2": Layer(276, _behind(_sll2)),
    "vlan-802.1q": Layer(1, _behind(_tagged((0x8100, 0x6000 | 100))), (100,)),
    "qinq-802.1ad": Layer(1, _behind(_tagged((0x88A8, 200), (0x8100, 100))), (200, 100)),
    "qinq-0x9100": Layer(1, _behind(_tagged((0x9100, 7), (0x8100, 4094))), (7, 4094)),
    "mpls-3": Layer(1, _behind(_labels(16, 17, 1_048_575)), (), ("mpls", "mpls")),
    "pppoe": Layer(
        1,
        lambda frame: ethernet(0x8864, struct.pack(">BBHH", 0x11, 0, 9, len(frame) - 12) + _behind(_ppp)(frame)),
        (),
        ("pppoe", "pppoe"),
    ),
    "ipip-6in4": Layer(1, _in_ip(ipv4, IPV4), (), ("ipip", "ip6ip")),
    "in-ipv6": Layer(1, _in_ip(ipv6, IPV6), (), ("ipip", "ip6ip")),
    "gre": Layer(1, _gre(0, b""), (), ("gre", "gre")),
    "gre-key-sequence-checksum": Layer(1, _gre(0xB000, struct.pack(">III", 0, 42, 1)), (), ("gre", "gre")),
    "gre-bridge": Layer(1, _gre_bridge, (), ("gre", "gre")),
    "vxlan-over-ipv6": Layer(1, _vxlan_over_ipv6, (), ("vxlan", "vxlan")),
    "geneve": Layer(1, _geneve, (), ("geneve", "geneve")),
    "ipv4-options": Layer(1, _ipv4_options),
    "ipv6-extensions": Layer(1, _ipv6_extensions),
}
