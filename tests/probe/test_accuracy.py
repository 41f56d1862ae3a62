"""The reported round trip against the packets' own times: captured at the same moment, read by ``halfopen.trace``.

And the time of connect() against a control: the same call, blocking, between two readings of the clock.
"""

from __future__ import annotations

import socket
import struct
from statistics import median
from threading import Event, Thread
from time import perf_counter_ns
from typing import TYPE_CHECKING, Self

import pytest
from tests.against.pcap import Packet, write
from tests.probe.network import FAR, Pair
from tests.probe.running import records

import halfopen
from halfopen.lab.tcp_info import TcpInfo

if TYPE_CHECKING:
    from pathlib import Path

CONNECTS = 200
#: Issue of the probe: the two agree within 50 µs at the median on a veth pair.
AGREE_US = 50.0
#: And a probe adds less of its own.
OWN_US = 20.0
ROUNDS = 5
_ETH_P_ALL = 0x0003
#: asm-generic/socket.h: the kernel's time of the packet, a timespec.
_SO_TIMESTAMPNS = 35


class Capture:
    """Every frame of the near end's interface, with the kernel's time."""

    def __init__(self, net: Pair) -> None:
        self._socket = net.near.inside(self._open)
        self._stop = Event()
        self.packets: list[Packet] = []
        self._thread = Thread(target=self._read)

    @staticmethod
    def _open() -> socket.socket:
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
        raw.bind(("near", 0))
        raw.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 23)
        raw.settimeout(0.2)
        return raw

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                data, control, _, _ = self._socket.recvmsg(2048, 64)
            except TimeoutError:
                if self._stop.is_set():
                    return
                continue
            ((_, _, stamp),) = control
            seconds, nanoseconds = struct.unpack("qq", stamp)
            self.packets.append(Packet(seconds * 10**9 + nanoseconds, data))


@pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])
def test_the_round_trip_is_that_of_the_packets(net: Pair, far: str, tmp_path: Path) -> None:
    _, target = net.listen(far, backlog=1000)
    with Capture(net) as capture:
        done = net.near.halfopen("probe", "--format", "jsonl", "-c", str(CONNECTS), "-i", "2ms", target)
    assert done.returncode == 0
    captured = {
        row.client_port: row
        for row in halfopen.trace(write(tmp_path / "near.pcap", capture.packets))
        if row.server == far
    }
    assert len(captured) == CONNECTS
    pairs = [(row, captured[row["client_port"]]) for row in records(done)]
    round_trips = [abs(row["syn_to_syn_ack_us"] - seen.syn_to_syn_ack_us) for row, seen in pairs]
    assert median(round_trips) < AGREE_US
    starts = [abs(seen.start_ns - row["start_ns"]) / 1000 for row, seen in pairs]
    assert median(starts) < AGREE_US


@pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])
def test_a_probe_adds_next_to_nothing_of_its_own(net: Pair, far: str) -> None:
    server, target = net.listen(far, backlog=2 * CONNECTS)
    port = server.getsockname()[1]
    probed: list[float] = []
    bare: list[float] = []
    for _ in range(ROUNDS):
        done = net.near.halfopen("probe", "--format", "jsonl", "-c", str(CONNECTS // ROUNDS), "-i", "0", target)
        probed += [row["connect_us"] - row["syn_to_syn_ack_us"] for row in records(done)]
        bare += net.near.inside(lambda: [_beyond_the_round_trip(far, port) for _ in range(CONNECTS // ROUNDS)])
    assert len(probed) == len(bare) == CONNECTS
    assert median(probed) > 0
    assert median(probed) - median(bare) < OWN_US


def _beyond_the_round_trip(address: str, port: int) -> float:
    """Of a bare connect(), microseconds."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as client:
        begin = perf_counter_ns()
        client.connect((address, port))
        wall_ns = perf_counter_ns() - begin
        return wall_ns / 1000 - TcpInfo.of(client).rtt_us
