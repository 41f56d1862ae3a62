"""Damaged captures through the library: a result or ``InputError``, and nothing is lost but what is damaged."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.conftest import ROOT
from tests.parity.containers import gzip_members, pcap, read_pcap, section, zstd_frames

import halfopen
from halfopen import Trace, trace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PACKETS = read_pcap(ROOT / "tests/captures/derived/c03-pcap-le-ns.pcap")
FEW = PACKETS[:4]
SAMPLES: dict[str, bytes] = {
    "pcap": pcap(FEW),
    "pcap-big": pcap(FEW, order=">"),
    "pcapng": section(FEW[:2]) + section(FEW[2:], order=">"),
    "pcapng-simple": section(FEW, kind="simple"),
    "gzip": gzip_members(pcap(FEW[:2]), pcap(FEW[2:])[24:]),
    "zstd": zstd_frames(pcap(FEW[:2]), pcap(FEW[2:])[24:]),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One file for thousands of contents."""
    return tmp_path_factory.mktemp("damage") / "input"


def attempt(place: Path, content: bytes) -> Trace | None:
    """Reads it; None where it is refused. Anything else that is raised fails the test."""
    place.write_bytes(content)
    try:
        found = trace(place)
    except halfopen.InputError as error:
        assert str(error).startswith(f"cannot read {place}: ")  # noqa: PT017  # any other exception is the failure
        return None
    assert sum(found.summary.outcomes.values()) == found.summary.handshakes == len(list(found))
    return found


@pytest.mark.parametrize("name", SAMPLES)
def test_every_truncation(place: Path, name: str) -> None:
    whole = SAMPLES[name]
    before = 0
    for size in range(len(whole) + 1):
        found = attempt(place, whole[:size])
        packets = found.summary.packets if found else 0
        assert packets >= before, "a longer file holds no less"
        before = packets
    assert before == len(FEW)


def ends(order: str = "<", link: int = 1) -> list[int]:
    """Where the records of a pcap file end, the file header first."""
    return [len(pcap(PACKETS[:count], link, order=order)) for count in range(len(FEW) + 1)]


@pytest.mark.parametrize("name", ["pcap", "pcap-big"])
def test_a_cut_costs_the_record_that_it_goes_through(place: Path, name: str) -> None:
    whole = SAMPLES[name]
    boundaries = ends()
    for size in range(boundaries[0], len(whole) + 1):
        found = attempt(place, whole[:size])
        assert found is not None
        assert found.summary.packets == sum(size >= end for end in boundaries[1:])
        assert sum(found.summary.defects.values()) == (size not in boundaries)


# --- one record is damaged -------------------------------------------------------------------------------------------


def hole_in_pcap(at: int) -> bytes:
    """Record ``at`` claims two gigabytes."""
    head, body = pcap(PACKETS[:at]), pcap(PACKETS[at:])[24:]
    return head + body[:8] + struct.pack("<I", 0x7FFF_FFFF) + body[12:]


def hole_in_pcapng(at: int) -> bytes:
    """The block's first length is wrong; the one behind it is right."""
    head, body = section(PACKETS[:at]), section(PACKETS[at:])
    interface = len(section([]))
    return head + body[interface : interface + 4] + struct.pack("<I", 0x7FFF_FFFC) + body[interface + 8 :]


@pytest.mark.parametrize("damage", [hole_in_pcap, hole_in_pcapng])
def test_what_is_before_and_after_a_hole_is_read(place: Path, damage: Callable[[int], bytes]) -> None:
    for at in range(len(PACKETS)):
        found = attempt(place, damage(at))
        assert found is not None
        assert found.summary.packets >= len(PACKETS) - 1, at
        assert found.summary.defects, at


def test_garbage_between_records(place: Path) -> None:
    """A disk that lost a block: 4096 bytes of something else."""
    for garbage in (bytes(4096), b"\xff" * 4096, bytes(range(256)) * 16):
        found = attempt(place, pcap(PACKETS[:40]) + garbage + pcap(PACKETS[40:])[24:])
        assert found is not None
        assert found.summary.packets >= len(PACKETS) - 1
        assert found.summary.defects


# --- hypothesis ---------------------------------------------------------------------------------------------

LINKS = [0, 1, 9, 12, 101, 108, 113, 228, 276]
BOUNDED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@BOUNDED
@given(data=st.data(), name=st.sampled_from(sorted(SAMPLES)))
def test_flipped_bytes(place: Path, data: st.DataObject, name: str) -> None:
    content = bytearray(SAMPLES[name])
    where = st.integers(0, len(content) - 1)
    for at, value in data.draw(st.lists(st.tuples(where, st.integers(0, 255)), min_size=1, max_size=12)):
        content[at] = value
    attempt(place, bytes(content))


@BOUNDED
@given(data=st.data(), name=st.sampled_from(["pcap", "pcapng", "gzip", "zstd"]))
def test_pieces_in_any_order(place: Path, data: st.DataObject, name: str) -> None:
    """Cut out, doubled, swapped: what a broken copy or a wrong `cat` makes."""
    whole = SAMPLES[name]
    cuts = st.tuples(st.integers(0, len(whole)), st.integers(0, len(whole)))
    pieces = data.draw(st.lists(cuts, max_size=6))
    attempt(place, whole[: data.draw(st.integers(0, len(whole)))] + b"".join(whole[min(p) : max(p)] for p in pieces))


@BOUNDED
@given(tail=st.binary(max_size=300), name=st.sampled_from(sorted(SAMPLES)))
def test_anything_behind_a_capture(place: Path, tail: bytes, name: str) -> None:
    """What was read before it stays."""
    found = attempt(place, SAMPLES[name] + tail)
    assert found is not None
    assert found.summary.packets >= len(FEW)


@BOUNDED
@given(frames=st.lists(st.binary(max_size=120), max_size=6), link=st.sampled_from(LINKS))
def test_any_frames(place: Path, frames: list[bytes], link: int) -> None:
    """Well-formed files of garbage packets."""
    found = attempt(place, pcap([(at, frame) for at, frame in enumerate(frames)], link))
    assert found is not None
    assert found.summary.packets == len(frames)
