"""The numbers of many connects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.active.results import TARGET, changed, data, established, failed, fast_open, retransmitted

from halfopen.handshakes.percentiles import latency
from halfopen.handshakes.probes.board import Board
from halfopen.handshakes.probes.summary import Tally, summarize


def test_no_values_have_no_distribution() -> None:
    assert latency([]) is None


def test_nearest_rank() -> None:
    found = latency(float(n) for n in range(1, 101))
    assert found is not None
    assert (found.min, found.p50, found.p90, found.p99, found.max) == (1, 50, 90, 99, 100)
    assert (found.count, found.mean_us, found.exact) == (100, 50.5, True)


@given(st.lists(st.floats(0, 1e9), min_size=1))
def test_percentiles_are_values_in_order(values: list[float]) -> None:
    found = latency(values)
    assert found is not None
    marks = [found.min, found.p50, found.p90, found.p99, found.max]
    assert all(mark in values for mark in marks)
    assert marks == sorted(mark for mark in marks if mark is not None)


def test_loss_counts_syns() -> None:
    found = summarize([established(), retransmitted(2), failed("timeout", syn_sent=3), failed("refused", "E")])
    assert (found.attempts, found.established, found.syn_sent, found.syn_lost) == (4, 2, 1 + 3 + 3 + 1, 2 + 3)
    assert found.endings == {"established": 2, "timeout": 1, "refused": 1}


def test_only_what_connected_has_a_time() -> None:
    found = summarize([failed("refused", "ECONNREFUSED")])
    assert (found.connect_us, found.rtt_us, found.first_byte_us, found.jitter_us) == (None, None, None, None)


def test_times_with_fast_open_are_those_of_connects_with_data_in_the_syn() -> None:
    asked, off = fast_open(failure="no_cookie"), fast_open(disabled=True)
    found = summarize([established(fast_open=asked), established(fast_open=off)])
    assert (found.attempts, found.connect_us, found.rtt_us, found.first_byte_us) == (2, None, None, None)
    found = summarize([established(700.0, fast_open=asked), established(100.0, fast_open=fast_open(2, accepted=True))])
    assert found.connect_us is not None
    assert (found.connect_us.count, found.connect_us.max) == (1, 100.0)


def test_jitter_is_between_neighbours_only() -> None:
    found = summarize([established(100.0), established(130.0), failed("timeout"), established(500.0)])
    assert found.jitter_us == pytest.approx(30.0)


def test_memory_is_bounded() -> None:
    tally = Tally(kept=2)
    for connect_us in (1000.0, 30.0, 40.0):
        tally.add(established(connect_us))
    found = tally.summary()
    assert found.attempts == 3
    assert found.connect_us is not None
    assert (found.connect_us.count, found.connect_us.max) == (2, 40)


def test_fast_open_is_counted() -> None:
    reports = [fast_open(failure="no_cookie"), fast_open(2, accepted=True), fast_open(2, failure="syn_retransmitted")]
    counts = summarize([changed(established(), fast_open=report) for report in reports]).fast_open
    assert counts is not None
    assert (counts.tried, counts.established, counts.carried, counts.accepted, counts.eaten) == (3, 3, 2, 1, 1)
    off = summarize([changed(established(), fast_open=fast_open(disabled=True))]).fast_open
    assert off is not None
    assert off.tried == 0


def board(*results: object, every_address: bool = False, addresses: tuple[str, ...] = ("10.0.0.2",)) -> Board:
    made = Board(every_address=every_address)
    made.resolved(TARGET, addresses, None)
    for result in results:
        made.add(result)  # type: ignore[arg-type]
    return made


def test_reachable_is_once_connected() -> None:
    assert board(failed("timeout"), established()).reachable
    assert not board(failed("timeout")).reachable
    assert not board().reachable
    assert not Board().reachable


def test_reachable_is_answered_where_data_was_waited_for() -> None:
    assert not board(changed(established(), data=data())).reachable
    assert board(changed(established(), data=data("first_byte"))).reachable


def test_one_address_will_do_unless_every_one_is_asked_for() -> None:
    addresses = ("10.0.0.3", "10.0.0.2")
    results = [failed("refused", "ECONNREFUSED", server="10.0.0.3"), established()]
    assert board(*results, addresses=addresses).reachable
    assert not board(*results, addresses=addresses, every_address=True).reachable


def test_a_name_that_stands_for_nothing_is_not_reachable() -> None:
    made = Board()
    made.unresolved(TARGET, "no such name")
    (report,) = made.reports()
    assert (report.error, report.reachable, made.reachable) == ("no such name", False, False)


def test_fast_open_has_numbers_of_its_own() -> None:
    (report,) = board(established(), changed(established(), fast_open=fast_open(2))).reports()
    assert report.summaries["10.0.0.2"].attempts == 1
    assert report.fast_open["10.0.0.2"].attempts == 1
