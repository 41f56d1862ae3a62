"""Prints both rates of the doctor: faults that it found, and healthy hosts on which it raised an alarm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

Outcomes = dict[str, list[tuple[str, bool]]]
OUTCOMES: pytest.StashKey[Outcomes] = pytest.StashKey()


@pytest.fixture
def outcomes(request: pytest.FixtureRequest) -> Outcomes:
    """{``found``: [(fault, whether it was found)], ``alarms``: [(healthy host, whether there was one)]}."""
    return request.config.stash.setdefault(OUTCOMES, {"found": [], "alarms": []})


def pytest_terminal_summary(terminalreporter: TerminalReporter, config: pytest.Config) -> None:
    """Two lines below the tests' own."""
    seen = config.stash.get(OUTCOMES, None)
    if not seen:
        return
    found, alarms = seen["found"], seen["alarms"]
    terminalreporter.write_line(f"doctor: found {sum(hit for _, hit in found)} of {len(found)} faults")
    wrong = [name for name, alarm in alarms if alarm]
    on = f": {', '.join(wrong)}" if wrong else ""
    terminalreporter.write_line(f"doctor: false alarms on {len(wrong)} of {len(alarms)} healthy hosts{on}")
