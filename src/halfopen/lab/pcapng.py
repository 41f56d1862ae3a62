"""Recordings of several hosts as one capture: pcapng, an interface of the file for each interface of each host.

<https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-03.html>. Packets are in the order of their times, which are
those of one clock: the hosts are namespaces of one kernel.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

    from halfopen.lab.recording import Recording

_SECTION, _INTERFACE, _PACKET, _STATISTICS = 0x0A0D0D0A, 1, 6, 5
_BYTE_ORDER = 0x1A2B3C4D
#: Options: the program that wrote it, the name of an interface, the resolution of its times, packets dropped.
_APPLICATION, _NAME, _RESOLUTION, _DROPPED = 4, 2, 9, 5
_NANOSECONDS = b"\x09"
#: What ``_core.Capture`` writes: pcap with nanoseconds, in this machine's byte order, and LINKTYPE_LINUX_SLL2.
_PCAP_HEADER, _RECORD = struct.Struct("=IHHiIII"), struct.Struct("=IIII")
#: Where SLL2 has the number of the interface.
_INTERFACE_AT = 4


class _Record(NamedTuple):
    """A packet of one of the recordings."""

    time_ns: int
    recording: int
    interface: int
    """In its host."""
    wire_len: int
    data: memoryview


def write_pcapng(recordings: Sequence[Recording], output: BinaryIO, application: str) -> int:
    """Write all of them as one file, and give the number of packets. OSError where it cannot be written."""
    records: list[_Record] = []
    snaplen = link_type = 0
    for number, recording in enumerate(recordings):
        recording.stop()
        data = memoryview(Path(recording.path).read_bytes())
        *_, snaplen, link_type = _PCAP_HEADER.unpack_from(data)
        records += _records(data, number)
    records.sort(key=lambda record: record.time_ns)
    names = _names(recordings, records)
    numbers = {key: number for number, key in enumerate(names)}
    output.write(_section(application))
    output.writelines(_interface(name, link_type, snaplen) for name in names.values())
    output.writelines(_packet(record, numbers[record.recording, record.interface]) for record in records)
    end_ns = records[-1].time_ns if records else 0
    # The packet socket counts for all interfaces of its host together: told with the last of them.
    last_of_host = {host: number for number, (host, _) in enumerate(names)}
    for host, number in last_of_host.items():
        output.write(_statistics(number, end_ns, recordings[host].dropped))
    return len(records)


def _names(recordings: Sequence[Recording], records: Sequence[_Record]) -> dict[tuple[int, int], str]:
    """{(recording, interface): name}, each host's together. One that had gone before the end has only its number."""
    named = {
        (host, interface): name
        for host, recording in enumerate(recordings)
        for interface, name in recording.interfaces.items()
    }
    seen = {(record.recording, record.interface) for record in records}
    return {
        (host, interface): f"{recordings[host].name}:{named.get((host, interface), f'interface {interface}')}"
        for host, interface in sorted(named.keys() | seen)
    }


def _records(data: memoryview, recording: int) -> Iterator[_Record]:
    at = _PCAP_HEADER.size
    while at < len(data):
        seconds, nanoseconds, length, wire_len = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        packet = data[at : at + length]
        (interface,) = struct.unpack_from(">I", packet, _INTERFACE_AT)
        yield _Record(seconds * 1_000_000_000 + nanoseconds, recording, interface, wire_len, packet)
        at += length


def _section(application: str) -> bytes:
    body = struct.pack("=IHHq", _BYTE_ORDER, 1, 0, -1)
    return _block(_SECTION, body + _options((_APPLICATION, application.encode())))


def _interface(name: str, link_type: int, snaplen: int) -> bytes:
    body = struct.pack("=HHI", link_type, 0, snaplen)
    return _block(_INTERFACE, body + _options((_NAME, name.encode()), (_RESOLUTION, _NANOSECONDS)))


def _packet(record: _Record, interface: int) -> bytes:
    head = struct.pack("=IIIII", interface, *divmod(record.time_ns, 1 << 32), len(record.data), record.wire_len)
    return _block(_PACKET, head + _padded(bytes(record.data)))


def _statistics(interface: int, time_ns: int, dropped: int) -> bytes:
    body = struct.pack("=III", interface, *divmod(time_ns, 1 << 32))
    return _block(_STATISTICS, body + _options((_DROPPED, struct.pack("=Q", dropped))))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("=I", len(body) + 12)
    return struct.pack("=I", kind) + length + body + length


def _options(*options: tuple[int, bytes]) -> bytes:
    parts = [struct.pack("=HH", code, len(value)) + _padded(value) for code, value in options]
    return b"".join(parts) + bytes(4)


def _padded(value: bytes) -> bytes:
    return value + bytes(-len(value) % 4)
