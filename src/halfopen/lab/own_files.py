"""A directory that stands for a host's ``/`` while an experiment runs."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def own_files() -> Iterator[Path]:
    """An empty directory, removed in the end.

    Raises:
        NotAvailableError: no directory for temporary files can be written to.
    """
    try:
        directory = TemporaryDirectory(prefix="halfopen-lab-")
    except OSError as error:
        raise NotAvailableError("cannot make files for a host", why=error.strerror or str(error)) from error
    with directory as path:
        yield Path(path)
