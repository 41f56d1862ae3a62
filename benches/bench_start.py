"""``halfopen --help`` answers in under 100 ms, and costs little more than Python and click do."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Result, best

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMES = 15
HALFOPEN = Path(sys.executable).with_name("halfopen")


def results() -> Iterator[Result]:
    """Against the limit, and against a Python that imports click and does nothing."""
    ours = best([HALFOPEN, "--help"], TIMES).seconds * 1e3
    click = best([sys.executable, "-c", "import click"], TIMES).seconds * 1e3
    yield Result("halfopen --help under 100 ms", ours, "the limit", 100.0, "ms", most=1.0)
    yield Result("halfopen --help beside click alone", ours, "python -c 'import click'", click, "ms", most=1.6)
