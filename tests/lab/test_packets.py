"""``halfopen lab run --pcap``, ``--ladder`` and ``--keep``: what is kept of an experiment."""

from __future__ import annotations

import os
import re
import signal
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.test_experiments import children, lab, namespaces, needs_root, run

import halfopen
from halfopen.lab.waiting import until
from halfopen.model.quantity import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Quick, with nine handshakes that work and SYNs that are dropped.
NAME = "accept-queue-overflow"
_INTERFACE, _PACKET = 1, 6


def blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """Kind and body of each block of a pcapng file, its two lengths held against one another."""
    data, at = path.read_bytes(), 0
    while at < len(data):
        kind, length = struct.unpack_from("=II", data, at)
        assert struct.unpack_from("=I", data, at + length - 4) == (length,)
        yield kind, data[at + 8 : at + length - 4]
        at += length
    assert at == len(data)


def names(path: Path) -> list[str]:
    """``if_name`` of each interface: the first option, behind eight bytes of fixed fields."""
    found = []
    for kind, body in blocks(path):
        if kind == _INTERFACE:
            code, length = struct.unpack_from("=HH", body, 8)
            assert code == 2
            found.append(body[12 : 12 + length].decode())
    return found


def times(path: Path) -> list[int]:
    found = [struct.unpack_from("=II", body, 4) for kind, body in blocks(path) if kind == _PACKET]
    return [high << 32 | low for high, low in found]


@needs_root
def test_the_packets_of_every_host_with_the_names_of_their_interfaces(tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    done = run("run", NAME, "--pcap", str(path))
    assert done.returncode == 0, done.stderr
    assert set(names(path)) == {"client:lo", "client:link0", "server:lo", "server:link0"}
    seen = times(path)
    assert seen == sorted(seen)
    assert f"{grouped(len(seen))} packets in {path}" in done.stderr
    summary = halfopen.trace(path).summary
    assert summary.packets == len(seen)
    # What crosses the link is in it twice, and counts once.
    assert (summary.outcomes["established"], summary.outcomes["unanswered"]) == (109, 91)


@needs_root
def test_both_ends_of_a_slow_link_are_no_retransmission(tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    done = run("run", "three-way-handshake", "--pcap", str(path))
    assert done.returncode == 0, done.stderr
    rows = list(halfopen.trace(path))
    assert [(row.outcome, row.syn_sent, row.syn_ack_sent) for row in rows[:2]] == 2 * [("established", 1, 1)]
    assert all(row.handshake_us is not None and 800_000 <= row.handshake_us < 999_000 for row in rows)


@needs_root
def test_the_packets_of_one_host_are_what_the_tracker_reads(tmp_path: Path) -> None:
    path = tmp_path / "client.pcap"
    done = run("run", NAME, "--pcap", str(path), "--host", "client")
    assert done.returncode == 0, done.stderr
    outcomes = halfopen.trace(path).summary.outcomes
    # Nine fit and 91 do not, then all of a hundred do.
    assert outcomes["established"] == 109
    assert outcomes["unanswered"] == 91


@needs_root
def test_a_host_that_is_not_there_leaves_no_file(tmp_path: Path) -> None:
    done = run("run", NAME, "--pcap", str(tmp_path / "x.pcap"), "--host", "nobody")
    assert done.returncode == 2
    assert done.stderr == "halfopen: the experiment has no host nobody\nhint: it has client, server\n"
    assert not list(tmp_path.iterdir())


@needs_root
def test_packets_that_are_not_whole_take_no_place(tmp_path: Path) -> None:
    path = tmp_path / "out.pcap"
    path.write_bytes(b"of yesterday")
    process = subprocess.Popen(
        lab("run", "three-way-handshake", "--pcap", str(path)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    until(lambda: children(process.pid), "the experiment to begin", 20)
    (child,) = children(process.pid)
    os.kill(child, signal.SIGKILL)
    _, talk = process.communicate(timeout=20)
    assert process.returncode == 1
    assert f"no packets were kept in {path}: it is as it was" in talk.decode()
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("out.pcap", b"of yesterday")]


@needs_root
def test_a_full_disk_is_said(tmp_path: Path) -> None:
    done = run("run", NAME, "--pcap", "/dev/full")
    assert done.returncode == 3
    assert "No space left" in done.stderr
    assert not list(tmp_path.iterdir())


def test_packets_are_of_one_experiment() -> None:
    assert run("run", "--all", "--pcap", "/dev/null").returncode == 2
    assert run("run", NAME, "--host", "client").returncode == 2
    assert run("run", NAME, "--pcap", "-").returncode == 2
    assert run("run", NAME, "--pcap", "/no/such/directory/x").returncode == 3


@needs_root
def test_a_ladder_of_each_kind() -> None:
    done = run("run", NAME, "--ladder")
    assert done.returncode == 0, done.stderr
    # One that was connected, and one whose SYN was dropped.
    assert re.findall(r"^\d+  192\.0\.2\.1:\d+ → 192\.0\.2\.2:8000  (\w+)", done.stdout, re.MULTILINE)[:2] == [
        "established",
        "unanswered",
    ]
    assert "-- SYN-ACK --" in done.stdout
    assert "-- SYN-ACK --" not in run("run", NAME).stdout


@needs_root
def test_a_kept_network_can_be_entered_until_it_is_let_go() -> None:
    before = namespaces()
    process = subprocess.Popen(lab("run", "new-namespace", "--keep"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    lines = [process.stderr.readline().decode() for _ in range(3)]
    assert "runs as root" in lines[0]
    assert "is kept with its pitfall, nothing mended, until Ctrl-C" in lines[1]
    (command,) = re.findall(r"host: (nsenter --net=/proc/\d+/fd/\d+)$", lines[2].strip())
    done = subprocess.run([*command.split(), "cat", "/proc/sys/net/core/somaxconn"], capture_output=True, check=True)
    # The host is tuned, and its container is not.
    assert done.stdout == b"1234\n"
    kept = children(process.pid)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process.stderr.close()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in kept), "the experiment's process to end", 20)
    until(lambda: namespaces() <= before, "its namespaces to vanish", 20)
