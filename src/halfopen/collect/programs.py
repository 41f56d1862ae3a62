"""Runs the programs that print packet filter rules: the only other programs that a snapshot needs (ADR 21).

A program that is started by a helper thread lives in the network namespace of that thread.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Timer

from halfopen.collect.text import readable
from halfopen.errors import NotAvailableError

DIRECTORIES = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin")
"""Not PATH: that of an ordinary user lacks the first three, and root should run nobody else's program."""
TIMEOUT_S = 3.0
OUTPUT_BYTES = 64 << 20
_ERROR_BYTES = 1000
_ENVIRONMENT = {"LC_ALL": "C", "PATH": ":".join(DIRECTORIES)}


def find_program(name: str) -> Path | None:
    """Where a program lies, or None."""
    places = (Path(directory) / name for directory in DIRECTORIES)
    return next((place for place in places if place.is_file()), None)


def output_of(program: Path, *arguments: str, timeout_s: float = TIMEOUT_S) -> str:
    """What it printed.

    Raises:
        NotAvailableError: it failed, with its own words, or did not end in time.
        OSError: it cannot be run.
    """
    late = Event()
    with (
        TemporaryFile() as errors,
        subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_ENVIRONMENT,
            start_new_session=True,
        ) as process,
    ):
        timer = Timer(timeout_s, _give_up, (late, process))
        timer.daemon = True
        timer.start()
        try:
            # Who made the rules of a container decides how long they are: no more is read than is kept.
            output = process.stdout.read(OUTPUT_BYTES + 1) if process.stdout else b""
            if len(output) > OUTPUT_BYTES:
                raise NotAvailableError(f"{program.name} printed more than {OUTPUT_BYTES >> 20} MB")
            status = process.wait()
        finally:
            timer.cancel()
            _kill(process)
        errors.seek(0)
        words = _first_words(errors.read(_ERROR_BYTES))
    if late.is_set():
        raise NotAvailableError(f"{program.name} did not end within {timeout_s:g} s")
    if status != 0:
        raise NotAvailableError(f"{program.name} failed: {words or f'status {status}'}")
    return readable(output)


def _give_up(late: Event, process: subprocess.Popen[bytes]) -> None:
    late.set()
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End it, and what it began, where it has not ended; until it is waited for, its number is nobody else's."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _first_words(stderr: bytes) -> str:
    lines = [line.strip() for line in readable(stderr).split("\n")]
    return next((line for line in lines if line and not line.startswith("#")), "")
