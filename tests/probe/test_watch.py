"""``--watch`` on a terminal: a pseudo-terminal of 80 columns, whose screen is kept here from what is written to it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from tests.conftest import PROGRAM, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

COLUMNS, LINES = 80, 24
_CODE = re.compile(r"\x1b\[(\d*)([A-Za-z])|\x1b\[[\d;]*m")


class Screen:
    """As much of a terminal as the program may use: lines, upwards, erasing; whatever else comes fails the test."""

    def __init__(self) -> None:
        self.lines = [""]
        self._row = 0
        self.blank_before_drawn = 0

    def write(self, text: str) -> None:
        """Carry it out."""
        at = 0
        for code in re.finditer(r"\x1b\[[\d;]*[A-Za-z]|\r?\n|\r", text):
            self._put(text[at : code.start()])
            self._act(code[0])
            at = code.end()
        self._put(text[at:])

    def _put(self, text: str) -> None:
        self.lines[self._row] += text
        assert len(self.lines[self._row]) <= COLUMNS, self.lines[self._row]

    def _act(self, code: str) -> None:
        if code.endswith("\n"):
            self._row += 1
            self.lines += [""] * (self._row == len(self.lines))
            self._overwrite()
        elif code.endswith("A"):
            self._row -= int(code[2:-1])
            assert self._row >= 0
            self._overwrite()
        elif code == "\x1b[J":
            del self.lines[self._row + 1 :]
        elif code not in {"\r", "\x1b[K"}:
            assert code.endswith("m"), repr(code)

    def _overwrite(self) -> None:
        """Lines are always written from their begin, and erased behind their end."""
        self.lines[self._row] = ""


@pytest.fixture
def target() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def watch(*arguments: str, frames: int = 5) -> tuple[str, int]:
    """What was written until some pictures were drawn and Ctrl-C was pressed, and the exit code."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    program = subprocess.Popen(
        [PROGRAM, "probe", "--watch", "-i", "5ms", *arguments],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment(TERM="xterm-256color"),
    )
    os.close(follower)
    written, asked = b"", False
    with suppress(OSError):  # the other end is closed
        while chunk := os.read(leader, 65536):
            written += chunk
            if written.count(b"\x1b[J") >= frames and not asked:
                asked = True
                program.send_signal(signal.SIGINT)
    os.close(leader)
    return written.decode(), program.wait(timeout=30)


def test_the_picture_is_drawn_in_place(target: str) -> None:
    written, code = watch(target)
    assert code == 0
    screen = Screen()
    screen.write(written)
    assert screen.lines[0] == target
    assert len(screen.lines) <= LINES
    assert re.match(r"last \S+ µs  p50 ", screen.lines[-3])
    assert re.fullmatch(r"(\d+) of \1 connected  no SYN lost", screen.lines[-2])
    assert sum("┤" in line for line in screen.lines) == 3


def test_nothing_is_erased_before_it_is_drawn_again(target: str) -> None:
    """What would be seen as flicker: whole lines or the screen erased first."""
    written, _ = watch(target)
    assert "\x1b[2K" not in written
    assert "\x1b[2J" not in written


def test_several_targets_share_the_screen(target: str) -> None:
    written, code = watch(target, "127.0.0.1:1", "127.0.0.1:2", frames=9)
    assert code == 1
    screen = Screen()
    screen.write(written)
    assert len(screen.lines) <= LINES
    assert {target, "127.0.0.1:1", "127.0.0.1:2"} <= set(screen.lines)
    assert screen.lines.count("last ECONNREFUSED") == 2


def test_a_count_ends_it(target: str) -> None:
    written, code = watch(target, "-c", "3", frames=10**9)
    assert code == 0
    assert 1 <= written.count("\x1b[J") <= 4
    assert "3 of 3 connected" in written
