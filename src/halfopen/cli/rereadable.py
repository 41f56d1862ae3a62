"""Standard input that can be read a second time."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from halfopen.cli.printer import output_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STDIN = 0
_COPY_BYTES = 1 << 20


@contextmanager
def rereadable_stdin() -> Iterator[Callable[[], None]]:
    """Gives a function that goes back to where standard input began.

    A file is simply read again. A pipe is copied first, to its end, into a temporary file without a name, which takes
    as much room in ``TMPDIR`` as the capture; standard input is that file until the context ends.

    Raises:
        OutputError: there is no room for the copy.
    """
    import tempfile

    try:
        start = os.lseek(_STDIN, 0, os.SEEK_CUR)
    except OSError:
        with tempfile.TemporaryFile() as spool:
            _copy_stdin(spool.fileno())
            with _as_stdin(spool.fileno()):
                yield lambda: _seek(0)
    else:
        yield lambda: _seek(start)


def _seek(place: int) -> None:
    os.lseek(_STDIN, place, os.SEEK_SET)


def _copy_stdin(to: int) -> None:
    with output_errors("a temporary copy of standard input"):
        while part := os.read(_STDIN, _COPY_BYTES):
            while part:
                part = part[os.write(to, part) :]
        os.lseek(to, 0, os.SEEK_SET)


@contextmanager
def _as_stdin(descriptor: int) -> Iterator[None]:
    saved = os.dup(_STDIN)
    try:
        os.dup2(descriptor, _STDIN)
        yield
    finally:
        os.dup2(saved, _STDIN)
        os.close(saved)
