"""Files that take the place of another only when they are complete."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from halfopen.cli.printer import output_errors
from halfopen.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of ``path`` at the end; until then, and on failure, that stays.

    What is no regular file, a pipe for one, has no place to be taken and is written to itself. That the place exists
    is found out at the begin, before much work was done.

    Raises:
        OutputError: the file cannot be made, or cannot take its place. Writing to it is the caller's.
    """
    if path.is_dir():
        raise OutputError("cannot write", str(path), "it is a directory")
    if path.exists() and not path.is_file():
        yield path
        return
    with output_errors(str(path)):
        target = path.resolve()
        new = target.with_name(f".{os.fsdecode(os.fsencode(target.name)[:200])}.{os.getpid()}")
        with new.open("xb"):  # as the user's umask has it, and nobody else's file
            pass
    try:
        yield new
        with output_errors(str(path)):
            new.replace(target)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
