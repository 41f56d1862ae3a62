"""The packets of chosen handshakes, read from captures."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from tests.conftest import ROOT

from halfopen.capture.exchanges import read_exchanges
from halfopen.errors import InputError
from halfopen.model.exchange import ExchangeIcmp, ExchangePacket, FourTuple

if TYPE_CHECKING:
    from pathlib import Path

LAB = ROOT / "tests" / "captures" / "lab"
LOSSY = str(LAB / "lossy_many.client.pcap")


def test_each_number_gives_its_own_handshake() -> None:
    found = read_exchanges([LOSSY], [394, 16, 16])
    assert [each.handshake.number for each in found.exchanges] == [16, 394]
    for each in found.exchanges:
        ports = {each.handshake.client_port, each.handshake.server_port}
        assert ports == {each.handshake.client_port, 8000}
        assert [event.frame for event in each.events] == sorted(event.frame or 0 for event in each.events)
        assert each.events[0].frame == each.handshake.frame_syn


def test_the_last_states_are_those_of_the_record() -> None:
    for each in read_exchanges([LOSSY], list(range(1, 61))).exchanges:
        last = each.events[-1]
        assert isinstance(last, ExchangePacket)
        held = {
            "client": ("TIME_WAIT", "CLOSED"),
            "server": ("CLOSED", "TIME_WAIT"),
            "both": ("TIME_WAIT", "TIME_WAIT"),
        }
        assert (last.client_state, last.server_state) == held[str(each.handshake.time_wait)]


def test_a_missing_number_says_how_many_there_are() -> None:
    found = read_exchanges([LOSSY], [401])
    assert (found.exchanges, found.handshakes, found.left_out) == ((), 400, 0)


def test_ends_in_either_order_and_no_others() -> None:
    one = read_exchanges([LOSSY], FourTuple("10.77.1.2", 55120, "10.77.2.2", 8000))
    other = read_exchanges([LOSSY], FourTuple("10.77.2.2", 8000, "10.77.1.2", 55120))
    assert one == other
    assert len(one.exchanges) == 1


def test_no_capture() -> None:
    with pytest.raises(InputError, match=r"cannot read none\.pcap: there is no such file"):
        read_exchanges(["none.pcap"], [1])


# --- made by hand: raw IPv4, link type 101 ----------------------------------------------------------------------------

CLIENT, SERVER, ROUTER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]), bytes([10, 0, 0, 254])
FIN, SYN, RST, ACK = 1, 2, 4, 16


def tcp(
    src: bytes, dst: bytes, ports: tuple[int, int], flags: int, seq: int, *, ack: int = 0, data: bytes = b""
) -> bytes:
    segment = struct.pack("!HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 1000, 0, 0)
    return ip(src, dst, 6, segment + data)


def ip(src: bytes, dst: bytes, protocol: int, payload: bytes) -> bytes:
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, src, dst) + payload


def capture(path: Path, packets: list[bytes]) -> str:
    """A millisecond between any two."""
    parts = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]
    for i, packet in enumerate(packets):
        parts += [struct.pack("<IIII", 1000 + i // 1000, i % 1000 * 1000, len(packet), len(packet)), packet]
    path.write_bytes(b"".join(parts))
    return str(path)


def test_an_icmp_error_stands_where_it_came(tmp_path: Path) -> None:
    syn = tcp(CLIENT, SERVER, (40000, 443), SYN, 77)
    error = ip(ROUTER, CLIENT, 1, struct.pack("!BBHI", 3, 1, 0, 0) + syn[:28])
    found = read_exchanges([capture(tmp_path / "a.pcap", [syn, error, syn])], [1])
    events = found.exchanges[0].events
    assert [type(event) for event in events] == [ExchangePacket, ExchangeIcmp, ExchangePacket]
    assert events[1] == ExchangeIcmp(1000_001_000_000, 3, 1, "10.0.0.254", to_client=True, seq=77, frame=2)


def opened(port: int = 40000) -> list[bytes]:
    return [
        tcp(CLIENT, SERVER, (port, 443), SYN, 100),
        tcp(SERVER, CLIENT, (443, port), SYN | ACK, 900, ack=101),
        tcp(CLIENT, SERVER, (port, 443), ACK, 101, ack=901),
    ]


def test_of_a_long_connection_the_middle_is_counted(tmp_path: Path) -> None:
    acks = [tcp(SERVER, CLIENT, (443, 40000), ACK, 901, ack=101)] * 3000
    found = read_exchanges([capture(tmp_path / "a.pcap", [*opened(), *acks])], [1])
    each = found.exchanges[0]
    assert (len(each.events), each.omitted, each.omitted_after) == (2000, 1003, 1000)


def test_of_many_handshakes_between_two_ends_the_first_are_kept(tmp_path: Path) -> None:
    attempts = [
        packet
        for i in range(70)
        for packet in (
            tcp(CLIENT, SERVER, (40000, 443), SYN, 1000 * i),
            tcp(SERVER, CLIENT, (443, 40000), RST | ACK, 0, ack=1000 * i + 1),
        )
    ]
    found = read_exchanges([capture(tmp_path / "a.pcap", attempts)], FourTuple("10.0.0.1", 40000, "10.0.0.2", 443))
    assert [each.handshake.number for each in found.exchanges] == list(range(1, 65))
    assert all(len(each.events) == 2 for each in found.exchanges)
    assert (found.left_out, found.handshakes) == (6, 70)


def test_reading_ends_with_the_last_wanted_handshake(tmp_path: Path) -> None:
    """Whatever comes later cannot belong to it."""
    first = [tcp(CLIENT, SERVER, (1, 443), SYN, 5), tcp(SERVER, CLIENT, (443, 1), RST | ACK, 0, ack=6)]
    later = [tcp(CLIENT, SERVER, (2 + i % 60000, 443), SYN, i) for i in range(200_000)]
    found = read_exchanges([capture(tmp_path / "a.pcap", first + later)], [1])
    assert len(found.exchanges) == 1
    assert found.handshakes < 200_000


# --- the states of both ends ------------------------------------------------------------------------------------------


def to_server(flags: int, seq: int, *, ack: int = 0, data: bytes = b"") -> bytes:
    return tcp(CLIENT, SERVER, (40000, 443), flags, seq, ack=ack, data=data)


def to_client(flags: int, seq: int, *, ack: int = 0, data: bytes = b"") -> bytes:
    return tcp(SERVER, CLIENT, (443, 40000), flags, seq, ack=ack, data=data)


def states(path: Path, packets: list[bytes]) -> list[tuple[str | None, str | None]]:
    (only,) = read_exchanges([capture(path, packets)], [1]).exchanges
    return [(each.client_state, each.server_state) for each in only.events if isinstance(each, ExchangePacket)]


def test_who_never_answered_is_not_known_to_listen(tmp_path: Path) -> None:
    sent = [to_server(SYN, 100)]
    assert states(tmp_path / "silent.pcap", sent * 2) == [("SYN_SENT", None)] * 2
    given_up = [*sent, to_server(RST, 101)]
    assert states(tmp_path / "given_up.pcap", given_up) == [("SYN_SENT", None), ("CLOSED", None)]
    refused = [*sent, to_client(RST | ACK, 0, ack=101)]
    assert states(tmp_path / "refused.pcap", refused) == [("SYN_SENT", None), ("CLOSED", "CLOSED")]
    simultaneous = [*sent, to_client(SYN, 900)]
    assert states(tmp_path / "simultaneous.pcap", simultaneous) == [("SYN_SENT", None), ("SYN_SENT", "SYN_SENT")]


def test_who_answered_listened(tmp_path: Path) -> None:
    opening = [("SYN_SENT", "LISTEN"), ("SYN_SENT", "SYN_RECV"), ("ESTABLISHED", "ESTABLISHED")]
    assert states(tmp_path / "whole.pcap", opened()) == opening
    one_direction = [packet for packet in opened() if packet != opened()[1]]
    assert states(tmp_path / "one.pcap", one_direction) == [opening[0], opening[2]]


def test_a_challenge_ack_is_not_a_listeners(tmp_path: Path) -> None:
    """It is of the connection before (RFC 5961); when its end made room, a listener answered."""
    syn, *answered = opened()
    packets = [syn, to_client(ACK, 5000, ack=7000), to_server(RST, 7000), syn, *answered]
    assert [server for _, server in states(tmp_path / "a.pcap", packets)][:4] == ["LISTEN", None, "LISTEN", "LISTEN"]


def test_a_fin_ahead_of_missing_bytes_closes_once_they_came(tmp_path: Path) -> None:
    fin, lost = to_client(FIN | ACK, 905, ack=101), to_client(ACK, 901, ack=101, data=b"late")
    packets = [*opened(), fin, to_server(ACK, 101, ack=901), lost, to_server(ACK, 101, ack=906)]
    closing = states(tmp_path / "a.pcap", packets)[3:]
    waits = (None, "FIN_WAIT1")
    assert closing == [waits, waits, ("CLOSE_WAIT", "FIN_WAIT1"), ("CLOSE_WAIT", "FIN_WAIT2")]
    in_order = [*opened(), lost, fin]
    assert states(tmp_path / "b.pcap", in_order)[4] == ("CLOSE_WAIT", "FIN_WAIT1")


def test_bytes_that_only_the_capture_missed_are_acknowledged(tmp_path: Path) -> None:
    packets = [*opened(), to_server(ACK, 101, ack=905), to_client(FIN | ACK, 905, ack=101)]
    assert states(tmp_path / "a.pcap", packets)[4] == ("CLOSE_WAIT", "FIN_WAIT1")
