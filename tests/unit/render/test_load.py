"""The screen and the object of ``halfopen load``, from a literal report."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from halfopen.model.load import ClientLimit, Failures, Latencies, LoadReport, Plan, TimeWait
from halfopen.render.counters import moved_counters
from halfopen.render.histogram import binned, histogram
from halfopen.render.layout import Paint
from halfopen.render.load import load_object, render_load

TIMES = Latencies(
    count=100, mean=80.0, p50=55.5, p90=90.0, p99=1900.0, p999=2000.0, max=2000.0,
    buckets=((19.99, 1), (55.5, 60), (90.0, 37), (2000.0, 2)),
)  # fmt: skip
PLAN = Plan(
    target="db.example:5432", address="10.0.0.5", port=5432, connections=10, total=110, rate=None, duration_s=None,
    exchange="http", reuse=2, close="fin", threads=2, sources=("10.0.0.1", "10.0.0.2"), timeout_s=10.0,
)  # fmt: skip
REPORT = LoadReport(
    plan=PLAN, interrupted=False, elapsed_s=2.0, attempted=110, established=100, completed=97, abandoned=0, unstarted=0,
    closed_by_server=0, reset_by_server=0,
    connections_per_s=50.0,
    failures=(
        Failures("connect", "not_sent", "EADDRNOTAVAIL", 7), Failures("connect", "timeout", None, 3),
        Failures("exchange", "closed_early", None, 3),
    ),
    statuses={200: 190, 503: 4}, connect=TIMES, first_byte=TIMES, response=replace(TIMES, p50=150.0),
    reused_response=replace(TIMES, p50=50.0), lag=Latencies(), own_lag=Latencies(), kernel_rtt=Latencies(),
    retransmitted=3, retransmissions=5, received_bytes=12_000, busiest_thread=0.4,
    processor_wait_s=0.1,
    client_limit=ClientLimit("ports", "7 connects found no port", "more --source addresses"),
    time_wait=TimeWait(1, 97, 98), kernel_deltas={"ActiveOpens": 103, "TCPSynRetrans": 5, "TCPHPHits": 12},
)  # fmt: skip


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_line_fits(width: int) -> None:
    assert max(map(len, render_load(REPORT, width=width).splitlines())) <= width


def test_the_screen_says_what_matters_first() -> None:
    lines = render_load(REPORT, width=120).splitlines()
    assert (
        lines[0]
        == "10.0.0.5:5432: 100 connections in 2 s, 50 a second; 10 more connects failed; 3 of the 100 failed later"
    )
    assert lines[1].startswith("The client is the limit (ports), not the server: 7 connects found no port.")
    text = "\n".join(lines)
    for words in (
        "2 source addresses in turn: 10.0.0.1 and 10.0.0.2",
        "200, 100 a second, 12 kB; HTTP 200: 190 and 503: 4",
        "3 connections (2.7 %) sent theirs again, 5 times in all",
        "97 created, 98 left in this namespace (1 before); each holds a local port",
        "A connection pool would save 100 µs of it (66.7 %)",
        "no local port was left for this destination",
        "answer: closed early",
        "and 1 other that says",
    ):
        assert words in text, words
    assert "begun late" not in text  # a closed loop has no schedule to be late for


def test_an_open_loop_shows_how_late_it_was() -> None:
    plan = replace(PLAN, rate=50, duration_s=2.0, total=None)
    own = Latencies(count=110, p50=0.1, max=3.0)
    report = replace(REPORT, plan=plan, client_limit=None, unstarted=4, lag=own, own_lag=own)
    text = render_load(report, width=120)
    assert "begun late by" in text
    assert "and in all by" not in text
    waited = replace(report, lag=Latencies(count=110, p50=0.1, max=900.0))
    assert "the wait for one of 10 too" in render_load(waited, width=120)
    assert "4 connections were due and never begun: the server held all 10" in text


@pytest.mark.parametrize(
    ("changes", "blamed"),
    [
        ({"unstarted": 3}, "3 connections were due and never begun: the server held all 10"),
        ({"unstarted": 1}, "1 connection was due and never begun"),
        ({"unstarted": 3, "interrupted": True, "abandoned": 10}, "the server held all 10"),
        ({"unstarted": 1, "interrupted": True, "abandoned": 2}, None),
    ],
)
def test_the_server_is_blamed_only_where_it_held_all(changes: dict[str, int], blamed: str | None) -> None:
    text = " ".join(render_load(replace(REPORT, client_limit=None, **changes), width=120).split())  # type: ignore[arg-type]
    assert (blamed or "") in text
    assert ("never begun" in text) is (blamed is not None)


@pytest.mark.parametrize(
    ("close", "closed_by_server", "reset_by_server", "words"),
    [
        ("fin", 0, 0, "closed by this side's FIN first: this side keeps TIME_WAIT "),
        ("fin", 7, 3, "this side keeps TIME_WAIT, but of 7 that the server closed first "),
        ("fin", 97, 0, "closed by the server's FIN first: the server keeps TIME_WAIT "),
        ("fin", 97, 97, "closed by the server's RST: nobody keeps TIME_WAIT "),
        ("server-first", 97, 0, "closed by the server's FIN first: the server keeps TIME_WAIT "),
        ("server-first", 97, 5, "the server keeps TIME_WAIT, but of 5 that it reset "),
        ("rst", 97, 0, "closed by this side's RST: nobody keeps TIME_WAIT "),
    ],
)
def test_time_wait_is_with_whoever_closed_first(
    close: str, closed_by_server: int, reset_by_server: int, words: str
) -> None:
    plan = replace(PLAN, close=close)  # type: ignore[arg-type]
    ends = {"closed_by_server": closed_by_server, "reset_by_server": reset_by_server}
    text = render_load(replace(REPORT, plan=plan, **ends), width=120)  # type: ignore[arg-type]
    assert words in " ".join(text.split())
    assert ("each holds a local port" in text) is ("this side keeps" in text)


def test_an_answer_of_which_nothing_came_is_told_from_one_that_was_cut() -> None:
    failures = (Failures("exchange", "timeout", None, 3),)
    cut = render_load(replace(REPORT, failures=failures), width=80)
    assert "connected, and no whole answer in time" in cut
    silent = render_load(replace(REPORT, failures=failures, first_byte=Latencies()), width=80)
    assert "its program does not answer" in " ".join(silent.split())


def test_colour_repeats_what_the_words_say() -> None:
    coloured = render_load(REPORT, color=True)
    plain = render_load(REPORT)
    assert "\x1b[" in coloured
    assert "".join(part.partition("m")[2] for part in f"\x1b[m{coloured}".split("\x1b[")) == plain


def test_the_object_has_the_promised_names_and_knows_null() -> None:
    found = json.loads(json.dumps(load_object(REPORT)))
    assert found["schema"] == "halfopen.load/1"
    assert found["outcomes"] == {"established": 100, "not_sent": 7, "timeout": 3}
    assert (found["target"], found["client_limit"]) == ("db.example:5432", "ports")
    assert {name: found["connect_us"][name] for name in ("p50", "p90", "p99", "max")} == {
        "p50": 55.5, "p90": 90.0, "p99": 1900.0, "max": 2000.0,
    }  # fmt: skip
    assert found["kernel_rtt_us"]["p50"] is None
    assert found["lag_us"]["count"] == 0  # of a closed loop
    assert found["kernel_deltas"] == REPORT.kernel_deltas
    assert load_object(replace(REPORT, client_limit=None))["client_limit"] is None


def test_bins_keep_gaps_and_lose_nothing() -> None:
    bins = binned(TIMES.buckets)
    assert bins == [
        (10.0, 20.0, 1), (20.0, 50.0, 0), (50.0, 100.0, 97), (100.0, 200.0, 0), (200.0, 500.0, 0), (500.0, 1000.0, 0),
        (1000.0, 2000.0, 2),
    ]  # fmt: skip
    assert sum(count for *_, count in bins) == TIMES.count
    assert binned([]) == []
    assert binned([(0.5, 3)]) == [(0.0, 1.0, 3)]
    assert histogram((), 80, Paint(on=False)) == []


def test_losses_come_before_ordinary_traffic() -> None:
    lines = moved_counters(REPORT.kernel_deltas, 120, Paint(on=False))
    assert lines[2].split()[:2] == ["TCPSynRetrans", "+5"]
    assert moved_counters({"TCPHPHits": 3}, 120, Paint(on=False)) == []


def test_those_that_say_nothing_are_counted() -> None:
    one = moved_counters({"TCPSynRetrans": 5, "TCPHPHits": 3}, 120, Paint(on=False))[-1]
    assert one == "  and 1 other that says nothing about handshakes (in the JSON output)"
