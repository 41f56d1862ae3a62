"""Standard output may be a terminal, a pipe that closes early, a full disk, or nothing at all."""

from __future__ import annotations

import fcntl
import io
import os
import platform
import pty
import signal
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import PROGRAM, Halfopen, environment

from halfopen.cli.printer import DEFAULT_WIDTH, Printer, wants_color
from halfopen.cli.progress import ERASE_LINE, Progress
from halfopen.errors import OutputError

#: The number of write(2), which /proc/PID/syscall shows first.
WRITE_SYSCALL = {"x86_64": 1, "aarch64": 64}.get(platform.machine())


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("arguments", [["completion", "bash"], ["--help"], ["--version"]])
def test_a_closed_pipe_ends_quietly(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [PROGRAM, *arguments], stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60, env=environment()
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(WRITE_SYSCALL is None, reason="the number of write(2) is not known for this processor")
def test_ctrl_c_ends_quietly_even_when_nobody_reads() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(65536))
    os.set_blocking(writer, True)
    process = subprocess.Popen(
        [PROGRAM, "completion", "bash"], stdout=writer, stderr=subprocess.PIPE, env=environment()
    )
    try:
        blocked_in_write = f"{WRITE_SYSCALL} 0x1 "
        syscall = Path(f"/proc/{process.pid}/syscall")
        while process.poll() is None and not syscall.read_text().startswith(blocked_in_write):
            os.sched_yield()
        process.send_signal(signal.SIGINT)
        _, talk = process.communicate(timeout=60)
        assert (process.returncode, talk) == (130, b"")
    finally:
        process.kill()
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("arguments", [["completion", "bash"], ["--help"]])
def test_a_full_disk_is_said(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60, env=environment()
        )
    assert done.stderr == b"halfopen: cannot write standard output: No space left on device\n"
    assert done.returncode == 3


def test_a_closed_standard_output_is_said() -> None:
    command = ["bash", "-c", 'exec "$0" completion bash >&-', str(PROGRAM)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment())
    assert (done.returncode, done.stderr) == (3, "halfopen: cannot write standard output: it is closed\n")


def test_the_version_names_the_revision(halfopen: Halfopen) -> None:
    done = halfopen("--version")
    assert done.returncode == 0
    version, revision = done.stdout.rstrip().removesuffix(")").removeprefix("halfopen ").split(" (revision ")
    assert version.count(".") == 2
    assert len(revision.removesuffix("-dirty")) >= 12
    assert set(revision.removesuffix("-dirty")) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("choice", "stream", "environ", "expected"),
    [
        ("auto", Terminal(), {}, True),
        ("auto", Terminal(), {"NO_COLOR": "1"}, False),
        ("auto", Terminal(), {"NO_COLOR": ""}, True),
        ("auto", Terminal(), {"TERM": "dumb"}, False),
        ("auto", io.StringIO(), {}, False),
        ("auto", None, {}, False),
        ("always", io.StringIO(), {"NO_COLOR": "1"}, True),
        ("never", Terminal(), {}, False),
    ],
)
def test_when_to_colour(choice: str, stream: io.StringIO | None, environ: dict[str, str], expected: bool) -> None:
    assert wants_color(choice, stream, environ) is expected  # type: ignore[arg-type]


def test_quiet_silences_remarks(capfd: pytest.CaptureFixture[str]) -> None:
    Printer(quiet=True).note("heard?")
    Printer(quiet=False).note("heard\x1b!")
    assert capfd.readouterr().err == "halfopen: heard\\x1b!\n"


def test_a_destination_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write .*none/x: No such file or directory"):  # noqa: SIM117
        with Printer().destination(tmp_path / "none" / "x"):
            pytest.fail("nothing was opened")


def test_a_destination_takes_bytes(tmp_path: Path) -> None:
    with Printer("parquet").destination(tmp_path / "x") as file:
        file.write(b"\x00\xff")
    assert (tmp_path / "x").read_bytes() == b"\x00\xff"


def test_progress_draws_and_leaves_nothing() -> None:
    terminal, now = Terminal(), [0.0]
    with Progress("reading", terminal, clock=lambda: now[0]) as progress:
        progress.update(1, 100)
        assert terminal.getvalue() == "", "work that is soon done needs no bar"
        now[0] = 1.0
        progress.update(50_000_000, 100_000_000)
        progress.update(60_000_000, 100_000_000)
        now[0] = 2.0
        progress.update(80_000_000, None)
    assert terminal.getvalue().split(ERASE_LINE) == [
        "",
        f"reading [{'#' * 15}{'.' * 15}]  50%  50 MB  50 MB/s  1 s left",
        "reading  80 MB  40 MB/s",
        "",
    ]


def test_progress_is_for_terminals(capfd: pytest.CaptureFixture[str]) -> None:
    with Printer().progress("reading") as progress:
        progress.update(10**9, 10**10)
    assert capfd.readouterr() == ("", "")


def test_text_for_a_pager_is_as_wide_as_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    leader, follower = pty.openpty()
    reader, writer = os.pipe()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 77, 0, 0))
    with os.fdopen(leader), os.fdopen(reader), os.fdopen(follower, "w") as terminal, os.fdopen(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stderr", terminal)
        monkeypatch.setattr(sys, "stdout", pipe)
        assert Printer().width == 77
        monkeypatch.setenv("COLUMNS", "66")
        assert Printer().width == 66
        monkeypatch.delenv("COLUMNS")
        monkeypatch.setattr(sys, "stderr", io.StringIO())
        assert Printer().width == DEFAULT_WIDTH


def test_a_file_is_not_as_wide_as_the_terminal_it_was_written_from(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    with (tmp_path / "report").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        monkeypatch.setattr(sys, "stderr", Terminal())
        assert Printer().width == DEFAULT_WIDTH
