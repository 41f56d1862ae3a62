"""``halfopen doctor HOST:PORT --capture``: the packets of the connects."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import PROGRAM, environment

import halfopen

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a packet socket needs CAP_NET_RAW")


def doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "doctor", "--netns", "own", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), timeout=60)


@pytest.fixture
def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=64)


def test_the_packets_agree_with_the_connects(listener: socket.socket) -> None:
    with listener:
        done = doctor(f"127.0.0.1:{listener.getsockname()[1]}", "--capture", "--format", "json")
    document: dict[str, Any] = json.loads(done.stdout)
    attempts = document["attempts"]
    assert len(attempts) == 5
    assert document["packets"]["outcomes"] == {"established": 5}
    assert document["packets"]["syn_sent"] == document["packets"]["syn_ack_sent"] == 5
    assert document["packets"]["dropped"] == 0


def test_the_packets_may_be_kept(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        path = tmp_path / "connects.pcap"
        done = doctor(f"127.0.0.1:{port}", "--pcap", str(path))
    assert "5 SYNs out, 0 SYN-ACKs back" in done.stdout
    assert {handshake.outcome for handshake in halfopen.trace(path)} == {"refused"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    done = doctor("127.0.0.1:1", "--pcap", str(tmp_path / "no" / "x.pcap"))
    assert done.returncode == 3
    assert "No such file or directory" in done.stderr


def test_without_a_target_there_is_nothing_to_capture() -> None:
    assert doctor("--capture").returncode == 2
