"""``halfopen trace -``: records of a pipe that is still being written."""

from __future__ import annotations

import json
import select
import subprocess
from typing import IO, TYPE_CHECKING

import pytest
from tests.conftest import PROGRAM, ROOT, environment
from tests.parity.containers import pcap, read_pcap

if TYPE_CHECKING:
    from collections.abc import Iterator

LAB = ROOT / "tests/captures/lab"
#: Long, because machines are busy; a record that is held back would never come.
PATIENCE_S = 60


@pytest.fixture
def following() -> Iterator[subprocess.Popen[bytes]]:
    """The program, reading a pipe and writing JSON Lines."""
    command = [PROGRAM, "trace", "-", "--format", "jsonl"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=environment(), **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def line(stream: IO[bytes]) -> bytes:
    ready, _, _ = select.select([stream], [], [], PATIENCE_S)
    assert ready, "no record came while the pipe was open"
    return stream.readline()


def test_a_record_comes_while_the_pipe_is_open(following: subprocess.Popen[bytes]) -> None:
    packets = read_pcap(LAB / "normal_client_close.pcap")
    assert following.stdin
    assert following.stdout
    following.stdin.write(pcap(packets))
    following.stdin.flush()
    record = json.loads(line(following.stdout))
    assert (record["outcome"], record["close"]) == ("established", "fin")
    assert following.poll() is None
