"""Counts what the experiments came to, so that a skip is seen."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

RESULTS: pytest.StashKey[Counter[str]] = pytest.StashKey()


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Counter[str]:
    """{result: experiments} of this run."""
    return request.config.stash.setdefault(RESULTS, Counter())


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """One line below the tests' own."""
    counts = config.stash.get(RESULTS, None)
    if counts:
        words = ", ".join(f"{counts[word]} {word}" for word in ("passed", "failed", "skipped"))
        terminalreporter.write_line(f"lab experiments: {words}")
