"""What all tests share: the installed program, and how to run it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: The console script beside the interpreter that runs the tests.
PROGRAM = Path(sys.executable).parent / "halfopen"

#: What a developer's shell may hold and a test must not depend upon.
UNWANTED = {"NO_COLOR", "TERM", "COLUMNS", "HALFOPEN_DEBUG", "PYTHONWARNINGS"}


class Halfopen(Protocol):
    """Runs the program to its end; output is captured as text."""

    def __call__(self, *arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]: ...


def environment(**changes: str) -> dict[str, str]:
    """The test process's environment without what tests must not depend upon."""
    return {name: value for name, value in os.environ.items() if name not in UNWANTED} | changes


@pytest.fixture
def halfopen(tmp_path: Path) -> Halfopen:
    """Run the installed program in an empty directory."""

    def run(*arguments: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=tmp_path,
            env=environment(**environ),
        )

    return run
