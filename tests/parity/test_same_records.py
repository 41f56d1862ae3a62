"""One conversation set, many envelopes: container, clock, link layer and tunnel change nothing but their own fields.

The captures of ``derived/`` were made by another program; the others are written here from the same packets.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import PROGRAM, environment
from tests.parity import containers
from tests.parity.captures import OWN, Reading, Record, trace, trace_once
from tests.parity.containers import ETHERNET, MICROSECONDS, MODIFIED, Interface, Packet, pcap, section
from tests.parity.layers import LAYERS, Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DERIVED = OWN / "derived"
PACKETS = containers.read_pcap(DERIVED / "c03-pcap-le-ns.pcap")
#: What an envelope may change: where the record is from, and what was taken off.
ENVELOPE = {"source", "vlan", "tunnel"}
FRAMES = {"frame_syn", "frame_syn_ack", "frame_ack"}
TIMES = {"start_ns", "syn_to_syn_ack_us", "syn_ack_to_ack_us", "handshake_us", "retransmit_wait_us", "duration_us"}


def without(records: Iterable[Record], *names: str) -> list[Record]:
    """The records, without what the envelope may change and these fields."""
    left_out = ENVELOPE.union(names)
    return [{name: value for name, value in record.items() if name not in left_out} for record in records]


@cache
def canonical(unit: int = 1) -> tuple[Record, ...]:
    """The records at a clock that ticks every ``unit`` nanoseconds."""
    return trace_written(pcap([(time // unit * unit, frame) for time, frame in PACKETS])).records


def trace_written(data: bytes, *more: bytes) -> Reading:
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.pcap" for number in range(1 + len(more))]
        for path, content in zip(paths, (data, *more), strict=True):
            path.write_bytes(content)
        return trace(*paths)


# --- derived/ -------------------------------------------------------------------------------------------------------

#: What each holds beside the same packets: (nanoseconds a tick, vlan, tunnel of IPv4 and IPv6).
PLAIN: tuple[tuple[int, ...], tuple[str | None, str | None]] = ((), (None, None))
SAME = {
    "c01-pcap-le-us.pcap": (1000, *PLAIN),
    "c03-pcap-le-ns.pcap": (1, *PLAIN),
    "c10-ng-le.pcapng": (1000, *PLAIN),
    "c12-ng-tsresol-0x9.pcapng": (1, *PLAIN),
    "c15-ng-tsresol-0x0.pcapng": (10**9, *PLAIN),
    "c31-gzip.pcap.gz": (1000, *PLAIN),
    "l01-raw101.pcap": (1000, *PLAIN),
    "l06-null-le.pcap": (1000, *PLAIN),
    "l10-sll.pcap": (1000, *PLAIN),
    "l11-sll2.pcap": (1000, *PLAIN),
    "x01-vlan.pcap": (1000, (100,), (None, None)),
    "x02-qinq.pcap": (1000, (200, 100), (None, None)),
    "x06-mpls1.pcap": (1000, (), ("mpls", "mpls")),
    "x09-pppoe.pcap": (1000, (), ("pppoe", "pppoe")),
    "x20-ipip.pcap": (1000, (), ("ipip", "ip6ip")),
    "x22-gre.pcap": (1000, (), ("gre", "gre")),
    "x30-vxlan.pcap": (1000, (), ("vxlan", "vxlan")),
    "x50-v6-hbh.pcap": (1000, *PLAIN),
}
#: Not the same packets, or not all of their times: each has a test of its own below.
OTHERS = {
    "c23-ng-spb.pcapng",
    "c25-ng-3-interfaces.pcapng",
    "d01-each-twice.pcap",
    "d13-snap48.pcap",
    "d24-cut-mid-record-header.pcap",
    "d36-zero-length-record.pcap",
    "x53-v4-frag-24.pcap",
}


def test_every_derived_capture_is_compared() -> None:
    assert {path.name for path in DERIVED.glob("*.pcap*")} == SAME.keys() | OTHERS


@pytest.mark.parametrize("name", SAME)
def test_derived(name: str) -> None:
    unit, vlan, tunnel = SAME[name]
    found = trace_once(DERIVED / name)
    assert without(found.records) == without(canonical(unit))
    assert {record["source"] for record in found.records} == {str(DERIVED / name)}
    assert_envelope(found, vlan, tunnel)


def assert_envelope(found: Reading, vlan: tuple[int, ...], tunnel: tuple[str | None, str | None]) -> None:
    assert found.summary.packets == len(PACKETS)
    assert not found.summary.defects
    for record in found.records:
        assert record["vlan"] == list(vlan)
        assert record["tunnel"] == tunnel[":" in record["client"]]


def test_simple_packet_blocks_have_no_time() -> None:
    found = trace_once(DERIVED / "c23-ng-spb.pcapng")
    assert without(found.records, *TIMES) == without(canonical(), *TIMES)
    assert {record[name] for record in found.records for name in TIMES} == {None}
    assert found.summary.packets == len(PACKETS)


def test_three_interfaces_with_three_resolutions() -> None:
    """Microseconds, nanoseconds and 2^-10 s in turn; so no time is off by more than the coarsest tick."""
    found = trace_once(DERIVED / "c25-ng-3-interfaces.pcapng")
    assert without(found.records, *TIMES) == without(canonical(), *TIMES)
    for record, exact in zip(found.records, canonical(), strict=True):
        assert abs(record["start_ns"] - exact["start_ns"]) < 10**9 >> 10
        for name in TIMES - {"start_ns"}:
            assert (record[name] is None) == (exact[name] is None)
            assert record[name] is None or abs(record[name] - exact[name]) < 10**6 / 2**10


def test_each_packet_captured_twice() -> None:
    found = trace_once(DERIVED / "d01-each-twice.pcap")
    extra = {"anomalies", "duration_us", *FRAMES}
    assert without(found.records, *extra) == without(canonical(1000), *extra)
    for record, once in zip(found.records, canonical(1000), strict=True):
        assert set(record["anomalies"]) == {*once["anomalies"], "captured_twice"}
        for name in FRAMES:
            assert record[name] == (None if once[name] is None else 2 * once[name] - 1)


def test_the_first_48_bytes() -> None:
    """14 of Ethernet, 20 of IPv4, 14 of TCP: all but the window and the options of IPv4, nothing of TCP over IPv6."""
    found = trace_once(DERIVED / "d13-snap48.pcap")
    cut = {
        "client_options",
        "server_options",
        "anomalies",
        "number",
        "fast_open",
        "icmp_type",
        "icmp_code",
        "icmp_from",
    }
    ours = {(record["client"], record["client_port"], record["isn_client"]): record for record in found.records}
    for exact in canonical(1000):
        if ":" in exact["client"] or exact["outcome"] == "unreachable":
            continue
        record = ours.pop((exact["client"], exact["client_port"], exact["isn_client"]))
        assert without([record], *cut) == without([exact], *cut)
    assert [record["outcome"] for record in ours.values()] == ["unanswered"]  # the ICMP error's quote was cut off


def test_a_file_that_ends_in_a_header() -> None:
    found = trace_once(DERIVED / "d24-cut-mid-record-header.pcap")
    whole = trace_written(pcap([(time // 1000 * 1000, frame) for time, frame in PACKETS[:30]]))
    assert without(found.records) == without(whole.records)
    assert sum(found.summary.defects.values()) == 1


def test_a_record_of_no_bytes() -> None:
    found = trace_once(DERIVED / "d36-zero-length-record.pcap")
    assert without(found.records, *FRAMES) == without(canonical(1000), *FRAMES)
    assert found.summary.packets == len(PACKETS) + 1


def test_fragments() -> None:
    """The first fragment has the ports, numbers and flags, and four bytes of options."""
    found = trace_once(DERIVED / "x53-v4-frag-24.pcap")
    cut = {*FRAMES, "client_options", "server_options", "anomalies", "client_bytes", "duration_us", "fast_open"}
    in_later_fragments = {40010, 40016}  # whether the SYN has the data that its SYN-ACK acknowledges
    whole = [record for record in canonical(1000) if record["client_port"] not in in_later_fragments]
    ours = [record for record in found.records if record["client_port"] not in in_later_fragments]
    assert without(ours, *cut) == without(whole, *cut)
    assert found.summary.defects.keys() == {"fragment", "options_truncated"}


# --- written here: containers ---------------------------------------------------------------------------------------

HALF = len(PACKETS) // 2
STRANGE = containers.strange_blocks(containers.STATISTICS, containers.NAMES, containers.UNKNOWN)
CONTAINERS: dict[str, tuple[int, Callable[[], bytes]]] = {
    "pcap-big-us": (1000, lambda: pcap(PACKETS, order=">", magic=MICROSECONDS)),
    "pcap-big-ns": (1, lambda: pcap(PACKETS, order=">")),
    "modified-little": (1000, lambda: pcap(PACKETS, magic=MODIFIED)),
    "modified-big": (1000, lambda: pcap(PACKETS, order=">", magic=MODIFIED)),
    "pcapng-little": (1, lambda: section(PACKETS)),
    "pcapng-big": (1, lambda: section(PACKETS, order=">")),
    "pcapng-default-resolution": (1000, lambda: section(PACKETS, [Interface(resolution=6)])),
    "pcapng-milliseconds": (10**6, lambda: section(PACKETS, [Interface(resolution=3)])),
    "pcapng-packet-blocks": (1, lambda: section(PACKETS, kind="obsolete")),
    "pcapng-sections": (1, lambda: section(PACKETS[:HALF]) + section(PACKETS[HALF:])),
    "pcapng-sections-of-both-orders": (
        1,
        lambda: section(PACKETS[:7]) + section(PACKETS[7:HALF], order=">") + section(PACKETS[HALF:]),
    ),
    "pcapng-strange-blocks": (
        1,
        lambda: section(PACKETS[:7]) + STRANGE + section(PACKETS[7:]) + STRANGE,
    ),
    "pcapng-two-interfaces": (1, lambda: section(PACKETS, [Interface(), Interface()])),
    "gzip": (1, lambda: containers.gzip_members(pcap(PACKETS))),
    "gzip-members": (1, lambda: containers.gzip_members(pcap(PACKETS)[:999], pcap(PACKETS)[999:])),
    "gzip-pcapng": (1, lambda: containers.gzip_members(section(PACKETS))),
    "zstd": (1, lambda: containers.zstd_frames(pcap(PACKETS))),
    "zstd-frames": (1, lambda: containers.zstd_frames(pcap(PACKETS)[:999], pcap(PACKETS)[999:])),
    "zstd-pcapng": (1, lambda: containers.zstd_frames(section(PACKETS, order=">"))),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_container(name: str) -> None:
    unit, write = CONTAINERS[name]
    found = trace_written(write())
    assert without(found.records) == without(canonical(unit))
    assert found.summary.packets == len(PACKETS)
    assert not found.summary.defects


def test_custom_blocks_are_numbered_as_wireshark_does() -> None:
    """They are no packets, but a frame number is there to find the place in Wireshark."""
    custom = containers.strange_blocks(containers.CUSTOM, containers.CUSTOM)
    found = trace_written(section(PACKETS[:7]) + custom + section(PACKETS[7:]))
    assert found.summary.packets == len(PACKETS)
    for record, exact in zip(found.records, canonical(), strict=True):
        for name in FRAMES:
            assert record[name] == (exact[name] and exact[name] + 2 * (exact[name] > 7))


CLOCKS = [
    Interface(resolution=0x80 | 9),
    Interface(resolution=0x80 | 20),
    Interface(resolution=0x80 | 30),
    Interface(resolution=0x80 | 32),
    Interface(resolution=0x80 | 0),
    Interface(resolution=0),
    Interface(resolution=1),
    Interface(resolution=6, offset=1_599_999_000),
    Interface(resolution=6, offset=-(10**6)),
    Interface(resolution=9, offset=1_600_000_000),
    Interface(resolution=12, offset=1_600_000_000),
    Interface(resolution=0x80 | 40, offset=1_600_000_000),
]


@pytest.mark.parametrize("clock", CLOCKS, ids=lambda clock: f"{clock.resolution:#x}{clock.offset:+}")
def test_clock(clock: Interface) -> None:
    """``if_tsresol`` and ``if_tsoffset``: the same as a nanosecond file of what is left of each time."""
    found = trace_written(section(PACKETS, [clock]))
    assert without(found.records) == without(trace_written(pcap([(clock.seen(t), f) for t, f in PACKETS])).records)


def test_interfaces_of_other_clocks_and_link_layers() -> None:
    """Every third packet on a raw IP interface, every third on one of SLL, each with a clock of its own."""
    interfaces = [Interface(), Interface(101, 0x80 | 32), Interface(113, 12, 1_600_000_000)]
    puts: list[Callable[[bytes], bytes]] = [lambda frame: frame, LAYERS["raw"].put, LAYERS["sll"].put]
    packets = [(time, puts[at % 3](frame)) for at, (time, frame) in enumerate(PACKETS)]
    seen = [(interfaces[at % 3].seen(time), frame) for at, (time, frame) in enumerate(PACKETS)]
    found = trace_written(section(packets, interfaces))
    assert without(found.records) == without(trace_written(pcap(seen)).records)


# --- written here: link layers and tunnels --------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
def test_layer(name: str) -> None:
    layer = LAYERS[name]
    found = trace_written(pcap(wrapped(layer), layer.link))
    assert without(found.records) == without(canonical())
    assert_envelope(found, layer.vlan, layer.tunnel)


def wrapped(layer: Layer) -> list[Packet]:
    return [(time, layer.put(frame)) for time, frame in PACKETS]


def test_raw_ipv4_and_raw_ipv6() -> None:
    """LINKTYPE_IPV4 and LINKTYPE_IPV6 hold one version each: two interfaces of one file."""
    by_version = [0 if frame[12:14] == b"\x08\x00" else 1 for _, frame in PACKETS]
    files = [
        pcap(
            [
                (time, frame[14:])
                for (time, frame), version in zip(PACKETS, by_version, strict=True)
                if version == which
            ],
            link,
        )
        for which, link in ((0, 228), (1, 229))
    ]
    found = trace_written(*files)
    assert without(found.records, *FRAMES) == without(canonical(), *FRAMES)


@pytest.mark.parametrize(
    "names",
    list(itertools.combinations(["vlan-802.1q", "qinq-802.1ad", "mpls-3", "gre", "geneve"], 2)),
    ids="+".join,
)
def test_the_same_four_tuples_in_two_networks(names: tuple[str, str]) -> None:
    """They are other connections: each is found once in each network."""
    layers = [LAYERS[name] for name in names]
    packets = [(time, layer.put(frame)) for time, frame in PACKETS for layer in layers]
    found = trace_written(pcap(packets, ETHERNET))
    for layer in layers:
        mine = [
            r
            for r in found.records
            if r["vlan"] == list(layer.vlan) and r["tunnel"] == layer.tunnel[":" in r["client"]]
        ]
        other = {"number", *FRAMES}
        assert without(mine, *other) == without(canonical(), *other)
    assert len(found.records) == 2 * len(canonical())


# --- rings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [pcap, section], ids=["pcap", "pcapng"])
def test_two_files_cut_anywhere_are_one_capture(write: Callable[[list[Packet]], bytes]) -> None:
    wanted = without(canonical(), *FRAMES)
    for at in range(1, len(PACKETS)):
        parts = write(PACKETS[:at]), write(PACKETS[at:])
        for given in (parts, parts[::-1]):
            assert without(trace_written(*given).records, *FRAMES) == wanted, at


def test_frames_of_a_ring_are_those_of_the_file_that_is_named() -> None:
    """A handshake that ends in the next file has the frame of its first packet only."""
    found = trace_written(*(pcap([packet]) for packet in PACKETS[:3])).records
    assert [(record["frame_syn"], record["frame_syn_ack"], record["frame_ack"]) for record in found] == [
        (1, None, None)
    ]
    assert found[0]["source"].endswith("/0.pcap")


@pytest.mark.parametrize("order", [1, -1], ids=["in order", "reversed"])
def test_a_file_a_packet(order: int) -> None:
    found = trace_written(*[pcap([packet]) for packet in PACKETS][::order])
    assert without(found.records, *FRAMES) == without(canonical(), *FRAMES)
    assert len(found.summary.inputs) == len(PACKETS)


# --- standard input -------------------------------------------------------------------------------------------------

STREAMS = ["pcap-big-ns", "pcapng-sections-of-both-orders", "gzip-members", "zstd-frames"]


@pytest.mark.parametrize("name", STREAMS)
def test_standard_input(name: str) -> None:
    assert from_pipe(CONTAINERS[name][1]()) == without(canonical())


def from_pipe(data: bytes) -> list[dict[str, Any]]:
    done = subprocess.run(
        [PROGRAM, "trace", "-", "--format", "jsonl"], input=data, capture_output=True, check=True, env=environment()
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert {record["source"] for record in records} == {"-"}
    return without(records)


def test_a_file_beside_standard_input(tmp_path: Path) -> None:
    (tmp_path / "late.pcap").write_bytes(pcap(PACKETS[HALF:]))
    done = subprocess.run(
        [PROGRAM, "trace", tmp_path / "late.pcap", "-", "--format", "jsonl"],
        input=pcap(PACKETS[:HALF]),
        capture_output=True,
        check=True,
        env=environment(),
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert without(records, *FRAMES) == without(canonical(), *FRAMES)


def test_nanoseconds_are_kept() -> None:
    assert all(record["start_ns"] % 1000 for record in canonical())
