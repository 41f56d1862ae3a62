"""Entries of connection tracking that no packet made: a table is filled in a second, and emptied again.

ctnetlink, ``include/uapi/linux/netfilter/nfnetlink_conntrack.h``. Needs CAP_NET_ADMIN in the namespace, which the lab
has. A table is filled up to the limit of the whole machine, which is counted for each namespace separately.
"""

from __future__ import annotations

import re
import socket
import struct
from itertools import islice
from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError

_pack = struct.pack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lab.namespace import Namespace

MAX = "net.netfilter.nf_conntrack_max"
#: 300 bytes each, of the kernel's memory: no more than this is taken for an experiment.
ENTRIES_MAX = 1_048_576
_NETLINK_NETFILTER = 12
#: ``NFNL_SUBSYS_CTNETLINK << 8``, and in it the messages.
_NEW, _DELETE = 0x100, 0x102
_REQUEST, _ACK, _CREATE = 0x1, 0x4, 0x400
_NESTED = 0x8000
#: ``CTA_*``; of a tuple; of its protocol; of the state of TCP.
_ORIGINAL, _REPLY, _STATUS, _INFO, _TIMEOUT = 1, 2, 3, 4, 7
_ADDRESSES, _PROTOCOL = 1, 2
_SOURCE, _DESTINATION = 1, 2
_NUMBER, _FROM, _TO = 1, 2, 3
_TCP_INFO, _TCP_STATE = 1, 1
#: ``IPS_*``: an entry that is made is confirmed, and must say so.
_SEEN_REPLY, _ASSURED, _CONFIRMED = 1 << 1, 1 << 2, 1 << 3
_ESTABLISHED = 3
_TIMEOUT_S = 600
#: Messages that one call hands to the kernel.
_BATCH = 256
#: Nobody's: RFC 2544's benchmark network.
_CLIENTS, _SERVER = 0xC612_0000, b"\xc6\x13\x00\x01"
_PORTS = 60_000


def fill(host: Namespace, *, assured: bool, share: float = 1.0) -> None:
    """Fill this share of a host's table; entries that are not ``assured`` are what half-open connections leave.

    Raises:
        NotAvailableError: the limit is too high to be reached for an experiment, or there is no connection tracking.
    """
    if not host.has_sysctl(MAX):
        raise NotAvailableError("cannot track connections", why="this kernel does not have it, or no rule needs it")
    limit = int(host.sysctl(MAX))
    if limit > ENTRIES_MAX:
        raise NotAvailableError("cannot fill the table of connections", why=f"it may hold {limit}")
    status = _CONFIRMED | (_SEEN_REPLY | _ASSURED if assured else 0)
    host.run(_send_all, _entries(round(limit * share), status))


def empty(host: Namespace) -> None:
    """Remove every entry of a host."""
    host.run(_send_all, iter([_message(_DELETE, _REQUEST | _ACK, b"")]))


def _send_all(messages: Iterator[bytes]) -> None:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as kernel:
        kernel.bind((0, 0))
        while batch := b"".join(islice(messages, _BATCH)):
            # The kernel works on it within the call.
            kernel.send(batch)


def _entries(count: int, status: int) -> Iterator[bytes]:
    """One message, in which client and port are written over again and again."""
    client, port = b"\xc6\x12\xfe\xfe", b"\xfe\xfd"
    pattern = _entry(client, port, status)
    parts = re.split(b"(%s|%s)" % (client, port), pattern)
    fields = {client: 0, port: 1}
    for number in range(count):
        values = _pack(">I", _CLIENTS + number // _PORTS), _pack(">H", 1024 + number % _PORTS)
        yield b"".join([values[fields[part]] if part in fields else part for part in parts])


def _entry(client: bytes, port: bytes, status: int) -> bytes:
    ends = (client, port), (_SERVER, _pack(">H", 443))
    attributes = (
        _tuple(_ORIGINAL, *ends)
        + _tuple(_REPLY, *reversed(ends))
        + _attribute(_STATUS, _pack(">I", status))
        + _attribute(_TIMEOUT, _pack(">I", _TIMEOUT_S))
        + _nested(_INFO, _nested(_TCP_INFO, _attribute(_TCP_STATE, bytes([_ESTABLISHED]))))
    )
    return _message(_NEW, _REQUEST | _CREATE, attributes)


def _tuple(kind: int, source: tuple[bytes, bytes], destination: tuple[bytes, bytes]) -> bytes:
    addresses = _attribute(_SOURCE, source[0]) + _attribute(_DESTINATION, destination[0])
    protocol = _attribute(_NUMBER, bytes([socket.IPPROTO_TCP]))
    protocol += _attribute(_FROM, source[1]) + _attribute(_TO, destination[1])
    return _nested(kind, _nested(_ADDRESSES, addresses) + _nested(_PROTOCOL, protocol))


def _nested(kind: int, inside: bytes) -> bytes:
    return _attribute(kind | _NESTED, inside)


def _attribute(kind: int, value: bytes) -> bytes:
    return _pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def _message(kind: int, flags: int, attributes: bytes) -> bytes:
    body = _pack("=BBH", socket.AF_INET, 0, 0) + attributes
    return _pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body
