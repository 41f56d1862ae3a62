"""``halfopen trace --ladder``: which exchange is drawn, and what is said when there is none."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.conftest import PROGRAM, ROOT, Halfopen, environment

if TYPE_CHECKING:
    from pathlib import Path

LAB = ROOT / "tests" / "captures" / "lab"
LOSSY = LAB / "lossy_many.client.pcap"
EMPTY_PCAP = bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")


def test_a_number_draws_that_handshake(halfopen: Halfopen) -> None:
    done = halfopen("trace", LOSSY, "--ladder", "394")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "394  10.77.1.2:55120 → 10.77.2.2:8000  established"
    assert sum("SYN ----" in line for line in lines) == 3
    assert any("PSH-ACK 600 B" in line for line in lines), "data packets are drawn"
    assert lines[-1].strip().startswith("changes nothing: an RST for a connection that has ended")


def test_the_numbers_are_those_of_the_records(halfopen: Halfopen) -> None:
    """Whatever the summary calls the slowest is what its number draws."""
    hint = halfopen("trace", LOSSY).stdout.splitlines()[-1]
    number = hint.rpartition(" ")[2]
    row = next(
        line for line in halfopen("trace", LOSSY).stdout.splitlines() if line.split()[:1] == [number] and "→" in line
    )
    heading = halfopen("trace", LOSSY, "--ladder", number).stdout.splitlines()[0]
    assert row.split()[row.split().index("→") - 1] in heading


def test_a_four_tuple_in_either_order(halfopen: Halfopen) -> None:
    by_number = halfopen("trace", LOSSY, "--ladder", "394").stdout
    assert halfopen("trace", LOSSY, "--ladder", "10.77.1.2:55120-10.77.2.2:8000").stdout == by_number
    assert halfopen("trace", LOSSY, "--ladder", "10.77.2.2:8000 10.77.1.2:55120").stdout == by_number


def test_every_handshake_of_a_four_tuple_is_drawn(halfopen: Halfopen, tmp_path: Path) -> None:
    """The same capture twice, one after the other: the four-tuple is used again."""
    refused = LAB / "refused.pcap"
    later = tmp_path / "later.pcap"
    later.write_bytes(_delayed(refused.read_bytes(), seconds=30))
    done = halfopen("trace", refused, later, "--ladder", "10.77.1.2:52886-10.77.2.2:9999")
    headings = [line for line in done.stdout.splitlines() if "→" in line]
    assert [heading.split()[0] for heading in headings] == ["1", "3"]


def _delayed(capture: bytes, seconds: int) -> bytes:
    """The same little-endian pcap, later."""
    out, at = bytearray(capture[:24]), 24
    while at < len(capture):
        header = capture[at : at + 16]
        length = int.from_bytes(header[8:12], "little")
        out += (int.from_bytes(header[:4], "little") + seconds).to_bytes(4, "little") + header[4:]
        out += capture[at + 16 : at + 16 + length]
        at += 16 + length
    return bytes(out)


@pytest.mark.parametrize("which", ["4", "10.77.1.2:47624-10.77.2.2:8000"])
def test_standard_input(which: str) -> None:
    """A pipe cannot be read twice, and need not be."""
    data = (LAB / "tfo.pcap").read_bytes()
    done = subprocess.run(
        [PROGRAM, "trace", "-", "--ladder", which], input=data, capture_output=True, check=False, env=environment()
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("4  10.77.1.2:47624 → 10.77.2.2:8000  established\n")
    assert "in standard input" in done.stdout.decode()


@pytest.mark.parametrize(
    ("capture", "which", "talk"),
    [
        ("lossy_many.client", "401", "there is no handshake 401: the capture has 400 handshakes"),
        ("v6_normal", "2", "there is no handshake 2: the capture has 1 handshake"),
        (
            "v6_normal",
            "[fd77:1::2]:1-[fd77:2::2]:8000",
            "there is no handshake between [fd77:1::2]:1 and [fd77:2::2]:8000: "
            "the capture has 1 handshake between other ends",
        ),
    ],
)
def test_what_is_not_there_is_said(halfopen: Halfopen, capture: str, which: str, talk: str) -> None:
    done = halfopen("trace", LAB / f"{capture}.pcap", "--ladder", which)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"halfopen: {talk}\n")


def test_a_capture_without_handshakes(halfopen: Halfopen, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(EMPTY_PCAP)
    done = halfopen("trace", empty, "--ladder", "1")
    assert (done.returncode, done.stderr) == (3, "halfopen: there is nothing to draw: no handshake is in the capture\n")


def test_an_unreadable_capture(halfopen: Halfopen) -> None:
    done = halfopen("trace", "none.pcap", "--ladder", "1")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("halfopen: cannot read none.pcap: ")


def test_the_drawing_goes_to_a_file(halfopen: Halfopen, tmp_path: Path) -> None:
    done = halfopen("trace", LOSSY, "--ladder", "1", "-o", tmp_path / "ladder.txt", "--color", "always")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    drawn = (tmp_path / "ladder.txt").read_text()
    assert drawn.startswith("1  10.77.1.2:")
    assert "\x1b" not in drawn


@pytest.mark.parametrize(
    ("capture", "which", "fail_on", "code"),
    [("refused", "1", "failed", 1), ("tfo", "4", "failed", 0), ("tfo", "4", "anomaly", 1), ("tfo", "1", "anomaly", 0)],
)
def test_fail_on(halfopen: Halfopen, capture: str, which: str, fail_on: str, code: int) -> None:
    done = halfopen("trace", LAB / f"{capture}.pcap", "--ladder", which, "--fail-on", fail_on)
    assert done.returncode == code


def test_packets_captured_twice_are_marked(halfopen: Halfopen) -> None:
    drawn = halfopen("trace", LAB / "any_sll2.router.pcap", "--ladder", "1").stdout
    assert drawn.count("the same packet, captured a second time") >= 3


def test_fins_that_cross_leave_no_side_in_last_ack(halfopen: Halfopen) -> None:
    """RFC 9293 3.6, figure 13: both go through CLOSING, the client here until the server has its FIN."""
    shown = halfopen("trace", LAB / "syn_lost_twice.client.pcap", "--ladder", "1").stdout
    states = [line.split()[3] for line in shown.splitlines() if line[4:12].strip().replace(".", "").isdigit()]
    assert states[-4:] == ["FIN-WAIT-1", "CLOSING", "CLOSING", "TIME-WAIT"]
    assert "LAST-ACK" not in shown
