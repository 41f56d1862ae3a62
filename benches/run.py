"""Runs the benchmarks: ``make bench``, or ``make bench BENCH=start`` for the ones whose name holds a word.

A benchmark is a file ``bench_<subject>.py`` beside this one with a function ``results() -> Iterator[Result]``. Each
result is a ratio between halfopen and a peer on the same machine in the same run: seconds alone tell of the machine.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from measure import Result

DIRECTORY = Path(__file__).resolve().parent


def results(words: list[str]) -> Iterator[Result]:
    """Every result of the benchmarks whose file name holds one of ``words``; of all of them when there are none."""
    for path in sorted(DIRECTORY.glob("bench_*.py")):
        if not words or any(word in path.stem for word in words):
            yield from import_module(path.stem).results()


def main() -> int:
    """Print a line a result; exit with 1 when a target is missed."""
    missed = 0
    for result in results(sys.argv[1:]):
        print(result.line(), flush=True)
        missed += not result.met
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
