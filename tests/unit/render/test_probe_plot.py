"""The live plot, as lines."""

from __future__ import annotations

import pytest
from tests.unit.active.results import established, failed, retransmitted

from halfopen.handshakes.probes.summary import summarize
from halfopen.render.layout import Paint
from halfopen.render.probe_plot import AROUND, HEIGHT_MIN, Sample, columns, heights, plot, title

RESULTS = [established(100.0), retransmitted(), failed("refused", "ECONNREFUSED"), established(400.0)]


def drawn(width: int = 80, height: int = 7) -> list[str]:
    return plot("web:80", [Sample.of(result) for result in RESULTS], summarize(RESULTS), (width, height))


def test_the_picture() -> None:
    assert drawn() == [
        "web:80",
        "    2 s ┤ ▄  ",
        "        │ █  ",
        "        │ █  ",
        "14.1 ms ┤ █  ",
        "        │ █  ",
        "        │ █  ",
        " 100 µs ┤▁█ █",
        "        └ rx",
        "last 400 µs  p50 400 µs  p90 1.03 s  p99 1.03 s  max 1.03 s  jitter 1.03 s",
        "3 of 4 connected  1 refused  1 of 5 SYNs lost (20 %)  x failed  r SYN sent again",
    ]


@pytest.mark.parametrize("width", [30, 40, 80, 200])
@pytest.mark.parametrize("count", [0, 1, 500])
def test_no_line_is_wider_than_the_terminal(width: int, count: int) -> None:
    samples = [Sample(10.0 * (n + 1)) for n in range(count)]
    lines = plot("x" * 300, samples, summarize(RESULTS * 10), (width, 5))
    assert max(map(len, lines)) <= width
    assert len(lines) == 5 + AROUND


def test_the_newest_is_at_the_right() -> None:
    samples = [Sample(100.0)] * 500 + [Sample(None, failure="refused")]
    marks = plot("web", samples, summarize([]), (80, 5))[6]
    assert len(marks) == 9 + columns(80)
    assert marks.endswith("x")


def test_what_failed_last_is_named() -> None:
    assert plot("web", [Sample(None, failure="ECONNREFUSED")], summarize([]), (80, 5))[-2] == "last ECONNREFUSED"
    assert Sample.of(failed("timeout")).failure == "timeout"


def test_colour_says_nothing_of_its_own() -> None:
    import re

    painted = plot("web:80", [Sample.of(result) for result in RESULTS], summarize(RESULTS), (80, 7), Paint(on=True))
    assert [re.sub(r"\x1b\[[\d;]*m", "", line) for line in painted] == drawn()


@pytest.mark.parametrize("places", [1, 2, 3, 5, 20])
@pytest.mark.parametrize("rows", [8, 23, 50])
def test_what_fits_is_drawn(places: int, rows: int) -> None:
    found = heights(places, rows)
    assert len(found) == places
    assert all(height == 0 or height >= HEIGHT_MIN for height in found)
    if any(found):
        assert sum(height + AROUND if height else AROUND - 1 for height in found) <= rows


def test_hostile_names_are_escaped() -> None:
    assert plot("a\x1b[2J", [], summarize([]), (80, 0))[0] == "a\\x1b[2J"


def test_titles() -> None:
    assert title("10.0.0.2:80", "10.0.0.2", 80) == "10.0.0.2:80"
    assert title("web:80", "10.0.0.2", 80) == "web:80 at 10.0.0.2"
