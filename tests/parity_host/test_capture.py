"""The packet socket: what its filter lets through, and that the file says what was on the wire."""

from __future__ import annotations

import socket
import stat
import struct
import time
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

import pytest
from tests.parity_host import frames
from tests.parity_host.frames import (
    ACK,
    ARP,
    FIN,
    ICMP,
    ICMP6,
    IP4,
    IP6,
    QINQ,
    RST,
    SYN,
    TCP,
    VLAN,
    ethernet,
    extension,
    fragment6,
    ip4,
    ip6,
    tcp,
)
from tests.parity_host.namespace import Namespace, as_nobody, needs_root
from tests.parity_host.states import until

from halfopen import _core
from halfopen.errors import PrivilegeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_root

OPTIONS = b"\1\1\1\1"
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION = 0, 43, 44, 60
QUOTED = ip4(tcp(SYN))

#: name → (frame, wanted as part of a handshake, wanted where everything is)
SAMPLES = {
    "syn": (ethernet(IP4, ip4(tcp(SYN))), True, True),
    "syn-ack": (ethernet(IP4, ip4(tcp(SYN | ACK, options=OPTIONS))), True, True),
    "ack": (ethernet(IP4, ip4(tcp(ACK))), True, True),
    "ack with options": (ethernet(IP4, ip4(tcp(ACK, options=OPTIONS * 3))), True, True),
    "fin": (ethernet(IP4, ip4(tcp(FIN | ACK, data=b"bye"))), True, True),
    "rst": (ethernet(IP4, ip4(tcp(RST))), True, True),
    "data": (ethernet(IP4, ip4(tcp(ACK, data=b"x"))), False, True),
    "much data": (ethernet(IP4, ip4(tcp(ACK, data=b"x" * 1000))), False, True),
    "ip options": (ethernet(IP4, ip4(tcp(ACK), options=OPTIONS)), True, True),
    "ip options, data": (ethernet(IP4, ip4(tcp(ACK, data=b"x"), options=OPTIONS)), False, True),
    "first fragment": (ethernet(IP4, ip4(tcp(SYN), fragment=0x2000)), True, True),
    "later fragment": (ethernet(IP4, ip4(tcp(SYN), fragment=5)), False, False),
    "udp": (ethernet(IP4, ip4(tcp(SYN), protocol=17)), False, False),
    "unreachable": (ethernet(IP4, ip4(b"\3\1" + bytes(6) + QUOTED, protocol=ICMP)), True, True),
    "echo": (ethernet(IP4, ip4(b"\x08\0" + bytes(6), protocol=ICMP)), False, False),
    "arp": (ethernet(ARP, bytes(28)), False, False),
    "v6 syn": (ethernet(IP6, ip6(tcp(SYN))), True, True),
    "v6 ack": (ethernet(IP6, ip6(tcp(ACK))), True, True),
    "v6 data": (ethernet(IP6, ip6(tcp(ACK, data=b"x"))), False, True),
    "v6 options": (ethernet(IP6, ip6(extension(TCP, tcp(SYN)), following=HOP_BY_HOP)), True, True),
    "v6 long options, ack": (ethernet(IP6, ip6(extension(TCP, tcp(ACK), 2), following=DESTINATION)), True, True),
    "v6 options, data": (ethernet(IP6, ip6(extension(TCP, tcp(ACK, data=b"x")), following=DESTINATION)), False, True),
    "v6 three headers": (
        ethernet(
            IP6,
            ip6(extension(ROUTING, extension(DESTINATION, extension(TCP, tcp(SYN)), 1)), following=HOP_BY_HOP),
        ),
        True,
        True,
    ),
    "v6 first fragment": (ethernet(IP6, ip6(fragment6(TCP, tcp(SYN)), following=FRAGMENT)), True, True),
    "v6 later fragment": (ethernet(IP6, ip6(fragment6(TCP, tcp(SYN), 9), following=FRAGMENT)), False, False),
    "v6 unreachable": (ethernet(IP6, ip6(b"\1\4" + bytes(6) + ip6(tcp(SYN)), following=ICMP6)), True, True),
    "v6 neighbour": (ethernet(IP6, ip6(b"\x87\0" + bytes(22), following=ICMP6)), False, False),
    "v6 options, unreachable": (
        ethernet(IP6, ip6(extension(ICMP6, b"\1\4" + bytes(6)), following=HOP_BY_HOP)),
        True,
        True,
    ),
    "vlan": (ethernet(IP4, ip4(tcp(SYN)), (VLAN, 42)), True, True),
    "vlan, data": (ethernet(IP4, ip4(tcp(ACK, data=b"x")), (VLAN, 42)), False, True),
    "v6 vlan": (ethernet(IP6, ip6(tcp(ACK)), (VLAN, 42)), True, True),
    "two tags": (ethernet(IP4, ip4(tcp(SYN)), (QINQ, 7), (VLAN, 42)), True, True),
    "two tags, udp": (ethernet(IP4, ip4(tcp(SYN), protocol=17), (QINQ, 7), (VLAN, 42)), False, False),
    "short": (ethernet(IP4, b"\x45"), False, False),
}


class Wire:
    """A veth pair inside one namespace: what is sent into ``near`` comes out of ``far``."""

    def __init__(self, directory: Path) -> None:
        self.namespace = Namespace()
        self.directory = directory
        up = "link add near type veth peer name far\nlink set near up\nlink set far up\n"
        # No router solicitations and the like in between.
        quiet = (
            "import pathlib\nfor p in pathlib.Path('/proc/sys/net/ipv6/conf').glob('*/disable_ipv6'): p.write_text('1')"
        )
        self.namespace.call("ip", "-batch", "-", text=up)
        self.namespace.call("python3", "-c", quiet)

    @contextmanager
    def captured(self, interface: str | None = "far", **options: object) -> Iterator[list[frames.Captured]]:
        """What a capture of the block's traffic holds, once the block is left."""
        path = self.directory / "file.pcap"
        capture = self.namespace.run(lambda: _core.Capture(path, interface, **options))  # type: ignore[arg-type]
        found: list[frames.Captured] = []
        yield found
        self.report = capture.stop()
        found += frames.read_sll2(path)
        assert self.report["packets"] == len(found)
        assert self.report["dropped"] == 0

    def send(self, *packets: bytes, interface: str = "near") -> None:
        def inside() -> None:
            with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
                sender.bind((interface, 0))
                for packet in packets:
                    sender.send(packet)

        self.namespace.run(inside)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    made = Wire(tmp_path)
    yield made
    made.namespace.close()


def tagged_payload(one: frames.Captured) -> bytes:
    """From the outermost EtherType on, as in the Ethernet frame."""
    return struct.pack("!H", one.protocol) + one.payload


@pytest.mark.parametrize("everything", [False, True], ids=["handshakes", "everything"])
@pytest.mark.parametrize("interface", ["far", "near"], ids=["incoming", "outgoing"])
def test_the_filter_takes_what_belongs_to_handshakes(wire: Wire, interface: str, *, everything: bool) -> None:
    with wire.captured(interface, everything=everything, snaplen=2000) as found:
        wire.send(*(sample for sample, *_ in SAMPLES.values()))
    wanted = {name: sample for name, (sample, some, every) in SAMPLES.items() if (every if everything else some)}
    assert [tagged_payload(one) for one in found] == [sample[12:] for sample in wanted.values()]
    assert {one.direction for one in found} == {4 if interface == "near" else 1}
    assert [one.wire_len for one in found] == [len(sample) + 6 for sample in wanted.values()]


def test_addresses_and_ports_restrict_it(wire: Wire) -> None:
    other = IPv4Address("192.0.2.77")
    wanted = [
        ethernet(IP4, ip4(tcp(SYN, destination=80))),
        ethernet(IP4, ip4(tcp(SYN | ACK, source=443, destination=9))),
        ethernet(IP6, ip6(tcp(SYN, destination=443))),
        ethernet(IP4, ip4(b"\3\1" + bytes(6) + QUOTED, protocol=ICMP, source=other)),
    ]
    unwanted = [
        ethernet(IP4, ip4(tcp(SYN, destination=81))),
        ethernet(IP4, ip4(tcp(SYN, destination=80), source=other)),
        ethernet(IP6, ip6(tcp(SYN, destination=80), source=IPv6Address("2001:db8::77"))),
    ]
    with wire.captured(addresses=[str(frames.A4), str(frames.A6)], ports=[80, 443], snaplen=200) as found:
        wire.send(*unwanted, *wanted, *unwanted)
    assert [tagged_payload(one) for one in found] == [sample[12:] for sample in wanted]


def test_a_capture_of_all_interfaces_says_which(wire: Wire) -> None:
    with wire.captured(None) as found:
        wire.send(ethernet(IP4, ip4(tcp(SYN))))
    interfaces = wire.namespace.run(lambda: {one["index"]: one["name"] for one in _core.network_interfaces()})
    assert sorted((interfaces[one.interface], one.direction) for one in found) == [("far", 1), ("near", 4)]


def test_loopback_shows_each_packet_once_and_the_times_are_those_of_the_exchange(wire: Wire) -> None:
    def connect() -> tuple[int, int]:
        before = time.time_ns()
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname()).close()
        return before, time.time_ns()

    with wire.captured("lo") as found:
        before, after = wire.namespace.run(connect)
    flags = [one.payload[33] for one in found]
    assert flags[:3] == [SYN, SYN | ACK, ACK]
    times = [one.time_ns for one in found]
    assert times == sorted(times)
    assert before <= times[0] < after
    assert len(set(times)) == len(times)  # nanoseconds, not milliseconds


def test_what_is_captured_can_be_traced(wire: Wire) -> None:
    def connect() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            for _ in range(25):
                socket.create_connection(server.getsockname()).close()

    with wire.captured("lo"):
        wire.namespace.run(connect)
    trace = _core.trace([wire.directory / "file.pcap"])
    assert '"established":25' in trace.summary.replace(" ", "")


def test_a_reader_may_follow_and_the_file_is_private(wire: Wire) -> None:
    path = wire.directory / "file.pcap"
    with wire.captured() as found:
        wire.send(ethernet(IP4, ip4(tcp(SYN))))
        until(lambda: len(frames.read_sll2(path)) == 1)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(found) == 1


def test_it_ends_at_the_limit_of_packets_and_of_time(wire: Wire) -> None:
    with wire.captured(packets_max=3) as found:
        wire.send(*[ethernet(IP4, ip4(tcp(SYN)))] * 10)
    assert (len(found), wire.report["limited"]) == (3, True)
    path = wire.directory / "short.pcap"
    capture = wire.namespace.run(lambda: _core.Capture(path, "far", time_max_s=0.05))
    until(lambda: capture.is_over)
    assert capture.stop() == {"packets": 0, "dropped": 0, "limited": True}
    with pytest.raises(OSError, match="stopped already"):
        capture.stop()


def test_what_cannot_be_captured_says_why(wire: Wire, tmp_path: Path) -> None:
    path = tmp_path / "x.pcap"
    with pytest.raises(OSError, match="cannot capture nowhere: No such device"):
        wire.namespace.run(lambda: _core.Capture(path, "nowhere"))
    with pytest.raises(ValueError, match="at most 4 addresses and 8 ports"):
        _core.Capture(path, ports=range(1, 10))
    assert not path.exists()

    def refused() -> str:
        try:
            _core.Capture(path)
        except PrivilegeError as error:
            return str(error)
        return "it was let in"

    assert wire.namespace.run(lambda: as_nobody(refused)) == "cannot capture: Operation not permitted"
