"""``halfopen trace --fail-on``: which captures make the program exit with 1."""

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
