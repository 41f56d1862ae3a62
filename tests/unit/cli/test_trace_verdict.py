"""``halfopen trace``: which captures make ``--fail-on`` exit with 1, and what is said of those that lack something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.conftest import ROOT
from tests.parity.containers import pcap, read_pcap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Halfopen

LAB = ROOT / "tests/captures/lab"
SECOND_NS = 10**9


@pytest.mark.parametrize(
    ("capture", "fail_on", "code"),
    [
        ("refused", "never", 0),
        ("refused", "failed", 1),
        ("blackhole", "failed", 1),
        ("normal_client_close", "anomaly", 0),
        ("syn_lost_twice.client", "failed", 0),
        ("syn_lost_twice.client", "anomaly", 1),
    ],
)
def test_whole_captures(halfopen: Halfopen, capture: str, fail_on: str, code: int) -> None:
    assert halfopen("trace", LAB / f"{capture}.pcap", "--fail-on", fail_on).returncode == code


@pytest.mark.parametrize("waited_s", [0, 5])
def test_who_is_still_waiting_at_the_end_has_not_failed(halfopen: Halfopen, tmp_path: Path, waited_s: int) -> None:
    packets = read_pcap(LAB / "normal_client_close.pcap")
    syn = next(n for n, (_, frame) in enumerate(packets) if frame[23] == 6)
    end = packets[syn][0] + waited_s * SECOND_NS
    file = tmp_path / "cut.pcap"
    file.write_bytes(pcap([*packets[: syn + 1], (end, bytes(60))]))
    done = halfopen("trace", file, "--fail-on", "failed")
    assert done.returncode == (1 if waited_s else 0), done.stdout


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_records_of_a_damaged_capture_come_with_a_word(halfopen: Halfopen, tmp_path: Path, format_: str) -> None:
    """Half a capture must not pass for a whole one: records have no place that says so."""
    whole, cut = LAB / "refused.pcap", tmp_path / "cut.pcap"
    cut.write_bytes(whole.read_bytes()[:-1])
    assert halfopen("trace", whole, "--format", format_).stderr == ""
    done = halfopen("trace", cut, "--format", format_)
    words = "the capture is damaged or incomplete: 1 file ends inside a record (cut off, or still being written)"
    assert (done.returncode, done.stderr) == (0, f"halfopen: {words}\n")
    assert halfopen("-q", "trace", cut, "--format", format_).stderr == ""


def test_records_say_what_did_not_fit_into_memory(halfopen: Halfopen) -> None:
    done = halfopen("trace", LAB / "lossy_many.client.pcap", "--format", "jsonl", "--max-flows", "5")
    evicted = sum('"evicted"' in line for line in done.stdout.splitlines())
    said = f"halfopen: {evicted} connections did not fit into the flow table: judged by what had been seen so far\n"
    assert evicted > 1
    assert done.stderr == said
