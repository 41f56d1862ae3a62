"""``halfopen ports`` as a process: this host, files, and what cannot be meant."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.conftest import PROGRAM, environment

from halfopen.collect.document import encode
from halfopen.model.host import Host
from halfopen.model.snapshot import NetNamespace, Snapshot
from halfopen.model.sockets import Destination, Sockets

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Halfopen

SETTINGS = {
    "net.ipv4.ip_local_port_range": "40000 40999",
    "net.ipv4.ip_local_reserved_ports": "40000-40099",
    "net.ipv4.tcp_tw_reuse": "2",
    "net.ipv4.tcp_timestamps": "1",
}
BUSY = Destination("10.0.0.1", "10.0.0.5", 443, {"TIME_WAIT": 300, "ESTABLISHED": 10}, 310, time_wait_ages=(50,) * 6)
IDLE = Destination("10.0.0.1", "10.0.0.6", 443, {"ESTABLISHED": 1}, 1, time_wait_ages=(0,) * 6)
NOW = Snapshot(
    taken_at_ns=2_000_000_000,
    monotonic_ns=2_000_000_000,
    host=Host("h", "6.18"),
    netns=(NetNamespace("host", 1, sysctls=SETTINGS, sockets=Sockets(destinations=(IDLE, BUSY))),),
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """An earlier and a later snapshot, a second apart; 6 connections were opened between them, and stay."""
    (tmp_path / "now.json").write_bytes(encode(NOW))
    earlier = replace(BUSY, states={"TIME_WAIT": 300, "ESTABLISHED": 4}, in_range=304)
    space = replace(NOW.netns[0], sockets=Sockets(destinations=(IDLE, earlier)))
    before = replace(NOW, taken_at_ns=1_000_000_000, monotonic_ns=1_000_000_000, netns=(space,))
    (tmp_path / "before.json").write_bytes(encode(before))
    return tmp_path / "before.json", tmp_path / "now.json"


def test_a_snapshot_of_another_machine(halfopen: Halfopen, files: tuple[Path, Path]) -> None:
    found = json.loads(halfopen("ports", "--format", "json", "--snapshot", files[1]).stdout)
    assert (found["schema"], found["host"], found["interval_s"]) == ("halfopen.ports/1", "h", None)
    busy, idle = found["destinations"]
    assert (busy["destination"], busy["in_use"], busy["time_wait"], busy["range_size"]) == ("10.0.0.5", 310, 300, 900)
    assert (busy["headroom"], busy["headroom_to_cliff"], busy["rate_per_s"]) == (590, 140, 5)
    assert (busy["plateau"], busy["seconds_to_cliff"], busy["seconds_to_exhaustion"]) == (310, None, None)
    assert busy["tw_reuse"]["helps"] is True
    assert "loopback only" in busy["tw_reuse"]["why"]
    assert (idle["headroom"], idle["tw_reuse"]["helps"]) == (899, False)


def test_two_snapshots_tell_how_open_connections_grow(halfopen: Halfopen, files: tuple[Path, Path]) -> None:
    done = halfopen("ports", "--format", "json", "--snapshot", files[0], "--snapshot", files[1])
    busy = json.loads(done.stdout)["destinations"][0]
    assert (busy["growth_per_s"], busy["rate_per_s"], busy["plateau"]) == (6, 11, None)
    assert busy["seconds_to_exhaustion"] == pytest.approx(590 / 6)


def test_this_host(halfopen: Halfopen) -> None:
    done = halfopen("ports", "--netns", "own")
    assert done.returncode == 0
    assert " for each destination; tcp_tw_reuse is " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--for", "0s"), "--for takes more than 0 s"),
        (("--for", "2s", "--snapshot", "x"), "--for watches this host"),
        (("--watch", "--snapshot", "x"), "--watch looks at this host"),
        (("--snapshot", "x", "--snapshot", "y", "--snapshot", "z"), "once or twice"),
        (("--top", "0"), "invalid value"),
    ],
)
def test_what_cannot_be_meant(halfopen: Halfopen, arguments: tuple[str, ...], why: str) -> None:
    done = halfopen("ports", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert why in done.stderr


def test_a_file_that_is_no_snapshot(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    done = halfopen("ports", "--snapshot", "x.json")
    assert done.returncode == 3
    assert "does not say that it is a halfopen.snapshot/1" in done.stderr


def test_who_reads_along_gets_each_table_at_once_and_with_its_time() -> None:
    command = [str(PROGRAM), "ports", "--watch", "--for", "1h", "--netns", "own"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as watching:
        assert watching.stdout is not None
        first = [watching.stdout.readline() for _ in range(2)]
        watching.terminate()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", first[0])
    assert " for each destination; tcp_tw_reuse is " in first[1]
