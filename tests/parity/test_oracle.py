"""Every TCP stream of every capture, against an oracle made with tshark: counts, times, options, closing.

A difference is either a defect of ours or listed in ``differences.toml`` with its reason, as a strict xfail.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from tests.parity.captures import ABSENT, SHARED, Capture, Record, other_captures, own_captures, trace_once
from tests.parity.differences import Difference, known_differences
from tests.parity.oracle import expected, measured

CAPTURES = {capture.name: capture for capture in (*own_captures(), *other_captures())}
DIFFERENCES = known_differences()


@dataclass(frozen=True)
class Case:
    """A stream of a capture."""

    capture: str
    stream: int

    def __str__(self) -> str:
        return f"{self.capture}-{self.stream}"


def cases() -> list[Case]:
    return [
        Case(capture.name, stream["stream"])
        for capture in CAPTURES.values()
        for stream in capture.verdict["streams"]
        if stream["outcome"] != "midstream"
    ]


@cache
def pairs(name: str) -> dict[int, tuple[dict[str, Any], Record | None]]:
    """{stream: what is expected, our record}. Both number what is on a four-tuple by its begin."""
    verdict = CAPTURES[name].verdict
    doubts: dict[int | None, set[str]] = defaultdict(set)
    for doubt in verdict["doubts"]:
        doubts[doubt["stream"]].add(doubt["kind"])
    ours: dict[frozenset[tuple[str, int]], list[Record]] = defaultdict(list)
    for record in sorted(trace_once(CAPTURES[name].path).records, key=lambda record: int(record["number"])):
        ours[ends(record)].append(record)
    found = {}
    for stream in verdict["streams"]:
        if stream["outcome"] != "midstream":
            wanted = expected(stream, doubts[stream["stream"]])
            records = ours[ends(wanted)]
            found[stream["stream"]] = (wanted, records.pop(0) if records else None)
    return found


def ends(record: Record) -> frozenset[tuple[str, int]]:
    return frozenset({(record["client"], record["client_port"]), (record["server"], record["server_port"])})


def known(case: Case) -> dict[str, Any]:
    """The fields of the stream in which a difference is known, with what is ours."""
    found: dict[str, Any] = {}
    for difference in DIFFERENCES:
        if difference.capture == case.capture and case.stream in difference.streams:
            found |= difference.ours
    return found


@pytest.mark.parametrize("case", cases(), ids=str)
def test_stream(case: Case) -> None:
    wanted, record = pairs(case.capture)[case.stream]
    assert record is not None, f"no record of {wanted}"
    differing = known(case)
    found = {field: measured(record, field) for field in wanted}
    assert {field: found[field] for field in wanted if field not in differing} == {
        field: value for field, value in wanted.items() if field not in differing
    }
    for field, ours in differing.items():
        assert ours is ... or found.get(field) in (wanted.get(field), ours), field


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param(difference, marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason=difference.reason))
        for difference in DIFFERENCES
        if difference.capture in CAPTURES
    ],
    ids=lambda difference: difference.capture,
)
def test_known_difference(difference: Difference) -> None:
    for stream in difference.streams:
        wanted, record = pairs(difference.capture)[stream]
        assert record is not None
        for field in difference.ours:
            assert measured(record, field) == wanted.get(field)


#: {capture: {what is counted: (our number, why)}}, where tshark counts otherwise.
COUNTED_OTHERWISE: dict[str, dict[str, tuple[int, str]]] = {
    "derived/d13-snap48.pcap": {
        "handshakes": (20, "14 of 20 bytes of the TCP header were kept: ports, numbers, flags. tshark wants all 20"),
        "midstream": (1, "as above"),
    },
    "OISF-suricata-verify/bug-6875-fuzz.pcap": {
        "packets": (1, "tshark counts a record of 1 409 179 648 bytes, and then gives up"),
    },
    "google-gopacket/test102-le.pcapng": {
        "packets": (5, "tshark counts custom blocks, which are no packets"),
    },
}


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=lambda capture: capture.name)
def test_capture(capture: Capture) -> None:
    """Nothing is left out, and nothing is made up."""
    verdict, summary = capture.verdict, trace_once(capture.path).summary
    midstream = sum(stream["outcome"] == "midstream" for stream in verdict["streams"])
    theirs = {
        "packets": verdict["file"]["packets"],
        "tcp_segments": verdict["file"]["tcp_packets"],
        "midstream": midstream,
        "handshakes": len(verdict["streams"]) - midstream,
    }
    for name, (count, _why) in COUNTED_OTHERWISE.get(capture.name, {}).items():
        assert theirs[name] != count, f"{name} differs no more"
        theirs[name] = count
    assert {name: getattr(summary, name) for name in theirs} == theirs
    assert summary.evicted == 0


def test_captures_of_other_projects_are_here() -> None:
    if ABSENT:
        pytest.skip(ABSENT)
    assert len(other_captures()) == len(list((SHARED / "oracle").glob("*.json"))) - len(own_captures())


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.capture)
def test_no_difference_is_listed_in_vain(difference: Difference) -> None:
    """Each of its streams differs in some of its fields, and each of its fields in some of its streams."""
    if difference.capture not in CAPTURES:
        assert ABSENT, f"no capture {difference.capture}"
        return
    differing = {
        (stream, field)
        for stream in difference.streams
        for wanted, record in [pairs(difference.capture)[stream]]
        for field in difference.ours
        if record is not None and field in wanted and measured(record, field) != wanted[field]
    }
    assert {stream for stream, _ in differing} == set(difference.streams)
    assert {field for _, field in differing} == set(difference.ours)
