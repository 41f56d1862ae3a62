"""The numbers below the lines of ``halfopen probe``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.active.results import TARGET, changed, data, established, failed, fast_open, retransmitted

from halfopen.handshakes.probes.board import Board
from halfopen.handshakes.probes.summary import summarize
from halfopen.render.probe import ProbeLines
from halfopen.render.probe_plot import plot

if TYPE_CHECKING:
    from halfopen.model.probe import ProbeResult


def closing(*results: ProbeResult) -> list[str]:
    """Below these connects."""
    board = Board()
    board.resolved(TARGET, ("10.0.0.2",), None)
    for result in results:
        board.add(result)
    return ProbeLines(1).closing(board.reports())


def test_every_way_of_ending_is_counted() -> None:
    lines = closing(
        established(),
        failed("refused", "ECONNREFUSED"),
        failed("unreachable", "EHOSTUNREACH"),
        failed("unreachable", "EHOSTUNREACH"),
        failed("not_sent", "EADDRNOTAVAIL"),
        failed("failed", "EPROTO"),
    )
    assert "10.0.0.2:80: 1 of 6 connected, 1 refused, 2 unreachable, 1 not sent, 1 failed; no SYN lost" in lines
    assert "10.0.0.2:80: 0 of 2 connected, 2 without an answer; 2 of 2 SYNs lost (100 %)" in closing(
        *[failed("timeout")] * 2
    )


def test_of_those_that_connected_some_were_answered() -> None:
    results = (established(), changed(established(), data=data()), failed("refused", "ECONNREFUSED"))
    assert "10.0.0.2:80: 2 of 3 connected, 1 of them answered, 1 refused; no SYN lost" in closing(*results)
    # The live plot counts in the same words.
    counts = plot("web:80", [], summarize(results), (80, 0))[-1]
    assert counts == "2 of 3 connected  1 of them answered  1 refused  no SYN lost  x failed"


def test_connects_with_fast_open_have_their_own_line() -> None:
    lines = closing(established(), retransmitted(fast_open=fast_open(2, failure="syn_retransmitted")))
    assert lines[1] == "10.0.0.2:80: 1 of 1 connected; no SYN lost"
    assert lines[2] == "  with Fast Open: 1 of 1 connected; 1 of 2 SYNs lost (50 %)"
    off = closing(established(), established(fast_open=fast_open(disabled=True)))
    assert not [line for line in off if "with Fast Open" in line]


def test_no_row_for_what_did_not_happen() -> None:
    asked = established(fast_open=fast_open(failure="no_cookie"))
    assert not [line for line in closing(established(), asked, asked) if "data in SYN" in line]
    used = established(fast_open=fast_open(2, accepted=True))
    (row,) = (line for line in closing(established(), asked, used) if "data in SYN" in line)
    assert row.split()[:5] == ["connect,", "data", "in", "SYN", "1"]
