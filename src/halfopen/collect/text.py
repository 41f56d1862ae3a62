"""Bytes of the host as text that any JSON reader takes.

Names of processes, control groups, files and interfaces, and lines of the kernel's log may hold any byte. What is not
UTF-8 becomes ``\\xNN``; everything else stays, control characters too: whoever prints it escapes it
(``halfopen.render.escape``).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LIMIT_BYTES = 8 << 20
"""Of any file that a collector reads; none of the kernel's own comes near."""


def readable(data: bytes) -> str:
    """``data`` as text without lone surrogates."""
    return data.decode("utf-8", "backslashreplace")


def readable_name(name: str) -> str:
    """A file name as the operating system's functions give it, without lone surrogates."""
    return name if name.isascii() else readable(os.fsencode(name))


def read_bytes(path: Path | str, limit: int = LIMIT_BYTES) -> bytes:
    """The beginning of a file, at most ``limit`` bytes. Raises OSError."""
    # Not open(): three system calls instead of nine count when thousands of small files are read.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        data = os.read(descriptor, min(limit, _CHUNK))
        if len(data) == 0 or limit <= _CHUNK:
            return data
        parts, left = [data], limit - len(data)
        while left > 0 and (data := os.read(descriptor, min(left, _CHUNK))):
            parts.append(data)
            left -= len(data)
        return b"".join(parts)
    finally:
        os.close(descriptor)


_CHUNK = 1 << 16


def read_text(path: Path | str, limit: int = LIMIT_BYTES) -> str:
    """The beginning of a file as text. Raises OSError."""
    return readable(read_bytes(path, limit))
