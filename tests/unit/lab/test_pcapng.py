"""Recordings as one pcapng file: names of interfaces, and one that is gone before its name is asked for."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from halfopen.lab.pcapng import write_pcapng

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen.lab.recording import Recording

_LINUX_SLL2 = 276


@dataclass
class Kept:
    """As much of a recording as the file is made of."""

    name: str
    path: Path
    interfaces: dict[int, str]
    dropped: int = 0

    def stop(self) -> None:
        """It has stopped."""


def kept(path: Path, name: str, interfaces: dict[int, str], packets: list[tuple[int, int]]) -> Recording:
    """A recording of empty packets: nanoseconds and the number of the interface of each."""
    data = struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 320, _LINUX_SLL2)
    for time_ns, interface in packets:
        body = struct.pack(">HHI12x", 0x0800, 0, interface)
        data += struct.pack("=IIII", 0, time_ns, len(body), len(body)) + body
    (path / name).write_bytes(data)
    return cast("Recording", Kept(name, path / name, interfaces))


def blocks(data: bytes, wanted: int) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        if kind == wanted:
            found.append(data[at + 8 : at + length - 4])
        at += length
    return found


def test_an_interface_that_is_gone_has_its_number_for_a_name(tmp_path: Path) -> None:
    output = io.BytesIO()
    client = kept(tmp_path, "client", {1: "lo"}, [(10, 2), (30, 2)])
    server = kept(tmp_path, "server", {1: "lo", 2: "link0"}, [(20, 2)])
    assert write_pcapng([client, server], output, "test") == 3
    interfaces = blocks(output.getvalue(), 1)
    names = [each[12 : 12 + struct.unpack_from("=H", each, 10)[0]].decode() for each in interfaces]
    assert names == ["client:lo", "client:interface 2", "server:lo", "server:link0"]
    # In the order of their times, each with its interface.
    packets = [struct.unpack_from("=III", each) for each in blocks(output.getvalue(), 6)]
    assert packets == [(1, 0, 10), (3, 0, 20), (1, 0, 30)]
    # What was dropped is told once for each host.
    assert [struct.unpack_from("=I", each)[0] for each in blocks(output.getvalue(), 5)] == [1, 3]
