"""Runs the programs that print packet filter rules: the only other programs that a snapshot needs (ADR 21).

A program that is started by a helper thread lives in the network namespace of that thread.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from halfopen.collect.text import readable
from halfopen.errors import NotAvailableError

DIRECTORIES = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin", "/bin")
"""Not PATH: that of an ordinary user lacks the first three, and root should run nobody else's program."""
TIMEOUT_S = 3.0
OUTPUT_BYTES = 64 << 20
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
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=timeout_s,
            env=_ENVIRONMENT,
        )
    except subprocess.TimeoutExpired as error:
        raise NotAvailableError(f"{program.name} did not end within {timeout_s:g} s") from error
    if done.returncode != 0:
        raise NotAvailableError(f"{program.name} failed: {_first_words(done.stderr) or f'status {done.returncode}'}")
    if len(done.stdout) > OUTPUT_BYTES:
        raise NotAvailableError(f"{program.name} printed more than {OUTPUT_BYTES >> 20} MB")
    return readable(done.stdout)


def _first_words(stderr: bytes) -> str:
    lines = [line.strip() for line in readable(stderr[:1000]).split("\n")]
    return next((line for line in lines if line and not line.startswith("#")), "")
