"""Reads what ``halfopen lint`` was given: bounded, and one unreadable file does not take the others down."""

from __future__ import annotations

import os
import select
import stat
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen.errors import InputError, UsageError
from halfopen.knowledge.kernel_version import MEASURED, KernelVersion
from halfopen.knowledge.sysctls import pattern
from halfopen.lint.kernel import Kernel
from halfopen.lint.reading import read
from halfopen.lint.text import BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.lint.document import Document, Kind

PROC = Path("/proc/sys")


def read_files(paths: Sequence[str], kind: Kind | None) -> tuple[list[Document], list[InputError]]:
    """The documents, and why others could not be read. A file that is given twice is read once."""
    documents: list[Document] = []
    failures: list[InputError] = []
    for path in dict.fromkeys(paths):
        try:
            documents.append(read(path, _bytes(path), kind))
        except InputError as error:
            failures.append(error)
    return documents, failures


def _bytes(path: str) -> bytes:
    """At most one byte more than may be read, so that neither a disk image nor /dev/zero fills the memory."""
    try:
        if path == "-":
            if sys.stdin is None:
                raise InputError("cannot read", "standard input", "it is closed")
            return sys.stdin.buffer.read(BYTES_MAX + 1)
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            begin = _begin_of_pipe(path, file.fileno())
            os.set_blocking(file.fileno(), True)
            return begin + file.read(BYTES_MAX + 1 - len(begin))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        if isinstance(error, IsADirectoryError):
            why = "it is a directory: name its files"
        raise InputError("cannot read", path, why) from error


def _begin_of_pipe(path: str, descriptor: int) -> bytes:
    """What a pipe already holds. A named one that nobody has open for writing would be waited for without end.

    Raises:
        InputError: it is such a one.
    """
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return b""
    try:
        begin = os.read(descriptor, _PIPE_BYTES)
    except BlockingIOError:
        return b""  # a writer has it open, and has not written yet
    ended = select.poll()
    ended.register(descriptor, 0)
    if not begin and not ended.poll(0):
        raise InputError("cannot read", path, "it is a named pipe that nobody writes to")
    return begin


_PIPE_BYTES = 65536


def kernel_of(text: str) -> Kernel:
    """The kernel that ``--kernel`` names; ``running`` is asked for what it has.

    Raises:
        UsageError: no release.
    """
    if text == "running":
        return _running()
    try:
        return Kernel(KernelVersion.parse(text))
    except ValueError as error:
        hint = "name a release, such as 4.18 or 6.1, or running"
        raise UsageError(f"--kernel {text} is no kernel" if text else "--kernel names no kernel", hint=hint) from error


def _running() -> Kernel:
    system = os.uname()
    if system.sysname != "Linux" or not (PROC / "net").is_dir():
        return Kernel(MEASURED)
    try:
        return Kernel(KernelVersion.parse(system.release), _has)
    except ValueError:  # a release that somebody named freely: its keys can be asked for all the same
        return Kernel(MEASURED, _has)


@lru_cache(maxsize=4096)
def _has(key: str) -> bool:
    """Whether the running kernel has ``key``, for whichever interface: the file may be for another host."""
    parts = pattern(key).split(".")
    if not all(part and part != ".." and "/" not in part for part in parts):
        return False
    named = ["all" if part == "*" and parts[2] == "conf" else "default" if part == "*" else part for part in parts]
    try:
        return PROC.joinpath(*named).exists()
    except (OSError, ValueError):
        return False
