"""What is said of one connect."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.active.results import changed, data, established, failed, fast_open, retransmitted

from halfopen.handshakes.probes.data import data_headline, data_reason
from halfopen.handshakes.probes.ending import headline, lost, reason
from halfopen.handshakes.probes.fast_open import fast_open_headline, fast_open_verdict, gain, local_reasons
from halfopen.handshakes.probes.summary import summarize
from halfopen.knowledge.connect_errors import CONNECT_ERRORS
from halfopen.model.probe import FastOpenCounts, FastOpenLocal, ProbeResult


def test_connected() -> None:
    assert headline(established(312.0)) == "connected in 312 µs, SYN round trip 292 µs"
    assert reason(established()) is None


def test_a_wait_for_a_processor_is_this_host_s_own() -> None:
    waited = replace(established(21_000.0), processor_wait_us=20_600.0)
    assert headline(waited).startswith("connected in 21 ms, 20.6 ms of it waiting for a processor here, SYN round ")
    # One that nobody would notice, or that was not what took the time, is not worth a word.
    for whole_us, wait_us in ((1_200.0, 900.0), (21_000.0, 9_000.0)):
        assert "processor" not in headline(replace(established(whole_us), processor_wait_us=wait_us))


def test_what_was_cut_short_accuses_nobody() -> None:
    cut = replace(failed("timeout", connect_us=3e6), interrupted=True)
    assert headline(cut) == "interrupted after 3 s, 1 SYN sent, no answer yet"
    assert reason(cut) is None


def test_a_lost_syn_reads_as_what_it_cost() -> None:
    result = retransmitted()
    assert headline(result) == "connected in 1.03 s (first SYN lost: 1 s back-off + 31 ms)"
    assert "round trip is not valid" in (reason(result) or "")


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (retransmitted(3, 3e6), "3 SYNs lost: 3 s back-off + 31 ms"),
        (
            retransmitted(retransmit_wait_method="schedule"),
            "first SYN or its answer lost: 1 s back-off + 31 ms",
        ),
        (
            retransmitted(2, 2e6, retransmit_wait_method="schedule"),
            "2 SYNs or their answers lost: 2 s back-off + 31 ms",
        ),
        (retransmitted(retransmit_wait_us=None), "first SYN lost"),
        (retransmitted(rest_us=1000.0), "first SYN lost: 1 s back-off + less than 2 ms"),
        (retransmitted(1, 12_000.0, 90.0), "first SYN met an old connection of the same port: sent again after 12 ms"),
    ],
)
def test_what_was_lost(result: ProbeResult, words: str) -> None:
    assert lost(result) == words


@pytest.mark.parametrize(
    ("result", "line", "why"),
    [
        (failed("refused", "ECONNREFUSED"), "refused after 300 µs (ECONNREFUSED)", "nothing listens on that port"),
        (
            failed("timeout", connect_us=5e6, syn_sent=5),
            "no answer within 5 s, 5 SYNs sent",
            "No SYN-ACK, no RST, no ICMP",
        ),
        (
            failed("timeout", "ETIMEDOUT", connect_us=3.1e6, syn_sent=2),
            "no answer after 3.1 s (ETIMEDOUT), 2 SYNs sent",
            "No SYN-ACK, no RST, no ICMP",
        ),
        (failed("refused", "ECONNRESET"), "reset after 300 µs (ECONNRESET)", "RST right after the handshake"),
        (failed("not_sent", "EADDRNOTAVAIL"), "nothing sent (EADDRNOTAVAIL)", "no local port is free"),
        (failed("not_sent", "EPERM"), "nothing sent (EPERM)", "BPF program"),
        (failed("unreachable", "ENETUNREACH", syn_sent=0), "nothing sent (ENETUNREACH)", "no route leads there"),
        (failed("failed", "EPROTO"), "failed after 300 µs (EPROTO)", "malformed"),
        (failed("failed", "ENOSYS"), "failed after 300 µs (ENOSYS)", "not known to give"),
        (
            failed("unreachable", "EHOSTUNREACH", icmp_type=3, icmp_code=1, icmp_from="10.0.0.1"),
            "unreachable after 300 µs (EHOSTUNREACH): ICMP host unreachable, said by 10.0.0.1",
            "from this host itself: no neighbour answers ARP or ND",
        ),
        (
            failed("unreachable", "ECONNREFUSED", icmp_type=3, icmp_code=3, icmp_from="10.0.0.2"),
            "unreachable after 300 µs (ECONNREFUSED): ICMP port unreachable, said by 10.0.0.2",
            "from the target itself",
        ),
        (
            failed("unreachable", "ECONNREFUSED", icmp_type=3, icmp_code=3, icmp_from="10.0.0.1"),
            "unreachable after 300 µs (ECONNREFUSED): ICMP port unreachable, said by 10.0.0.1",
            "from this host itself: a rule of its own packet filter rejects",
        ),
        (
            failed("unreachable", "EHOSTUNREACH", icmp_type=3, icmp_code=13, icmp_from="192.0.2.9"),
            "unreachable after 300 µs (EHOSTUNREACH): ICMP administratively prohibited, said by 192.0.2.9",
            "192.0.2.9, a router on the way",
        ),
        (
            failed("unreachable", "EHOSTUNREACH", icmp_type=3, icmp_code=1),
            "unreachable after 300 µs (EHOSTUNREACH): ICMP host unreachable",
            "does not say from whom",
        ),
    ],
)
def test_failures(result: ProbeResult, line: str, why: str) -> None:
    assert headline(result) == line
    assert why in (reason(result) or "")


def test_a_port_that_was_asked_for() -> None:
    result = failed("not_sent", "EADDRNOTAVAIL")
    assert "the local port asked for is taken" in (reason(result, fixed_port=True) or "")


def test_every_error_is_a_clause() -> None:
    for name, clause in CONNECT_ERRORS.items():
        assert name.startswith("E")
        assert not clause.endswith(".")


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (data("first_byte", waited_us=3000.0), "first byte after 3 ms"),
        (data("closed", waited_us=3000.0), "closed without a byte after 3 ms"),
        (data("failed", waited_us=3000.0, errno="ECONNRESET"), "lost after 3 ms (ECONNRESET)"),
        (data(), "no byte within 5 s"),
    ],
)
def test_data(report: object, line: str) -> None:
    assert data_headline(report) == line  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (
            data(sent_bytes=3, retransmissions=4),
            "The path eats data, most likely: the handshake succeeded, but 3 bytes",
        ),
        (data(sent_bytes=3, retransmissions=4), "the server's accept queue is full and it answered with a SYN cookie"),
        (data(sent_bytes=3, segments_received=2), "Accept starvation, most likely"),
        (data(sent_bytes=3, waited_us=1e6), "Accept starvation, or a path that eats data: "),
        (data(sent_bytes=3, segments_received=None), "Accept starvation, or a path that eats data: "),
        (data(sent_bytes=3, acknowledged_bytes=3, segments_received=1), "or its answer is lost on the way"),
        (data(sent_bytes=3, acknowledged_bytes=3, segments_received=1), "nobody calls accept()"),
        (data(sent_bytes=3, acknowledged_bytes=None), "The data was sent and no answer came"),
        (data(segments_received=1, waited_us=2e6), "client's data, or a full accept queue. "),
        (data(segments_received=1), "client's data, or a full accept queue that has room by now. "),
        (data(segments_received=3), "came again 3 times"),
        (data(), "from a full accept queue the SYN-ACK would have come again by now"),
        (data(), "On port 80 the client speaks first as a rule (HTTP): then nothing can"),
        (data(segments_received=None), "On port 80 the client speaks first as a rule (HTTP)"),
        (data(segments_received=3, data_segments_received=3), "loses large ones"),
        (data("closed"), "did not want this connection"),
        (data("failed", errno="ECONNRESET"), "tcp_abort_on_overflow"),
        (data("failed", errno="ETIMEDOUT"), "again and again"),
        (data("failed", errno="EPIPE"), "broke after the handshake: EPIPE"),
        (data("first_byte", waited_us=3.1e6, segments_received=2), "TCP_DEFER_ACCEPT on a server that speaks first"),
    ],
)
def test_what_data_means(report: object, why: str) -> None:
    assert why in (data_reason(changed(established(), data=report)) or "")


@pytest.mark.parametrize(
    ("port", "words"),
    [
        (22, "On port 22 the server speaks first as a rule (SSH): nobody calls accept()"),
        (5432, "On port 5432 the client speaks first as a rule (PostgreSQL)"),
        (
            7777,
            "The server waits for the client to speak first, TCP_DEFER_ACCEPT makes it wait, or nobody calls accept().",
        ),
    ],
)
def test_who_speaks_first(port: int, words: str) -> None:
    result = changed(established(), data=data(waited_us=1e6))
    silent = data_reason(replace(result, handshake=replace(result.handshake, server_port=port)))
    assert (silent or "").startswith(words)  # after a second, whether a SYN-ACK comes again is not known yet


@pytest.mark.parametrize(
    "report",
    [
        data("first_byte", waited_us=3000.0, segments_received=1),
        data("first_byte", waited_us=1.02e6, segments_received=2, sent_bytes=5),  # it answers a request
        data("first_byte", waited_us=1.9e6, segments_received=2),  # at no moment of the timetable
        data("first_byte", waited_us=1.02e6, segments_received=1),  # merely slow
    ],
)
def test_a_byte_that_came_needs_no_reason(report: object) -> None:
    assert data_reason(changed(established(), data=report)) is None
    assert data_reason(established()) is None


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (fast_open(disabled=True), "Fast Open is off here"),
        (fast_open(failure="no_cookie"), "Fast Open: asked for a cookie"),
        (fast_open(2, accepted=True), "Fast Open: 2 bytes in the SYN, acknowledged"),
        (fast_open(2, failure="data_not_acknowledged"), "Fast Open: 2 bytes in the SYN, not acknowledged"),
        (fast_open(2, failure="syn_retransmitted"), "Fast Open: 2 bytes in the SYN, eaten: sent again without"),
    ],
)
def test_fast_open(report: object, line: str) -> None:
    assert fast_open_headline(changed(established(), fast_open=report)) == line


def test_without_fast_open_nothing_is_said_of_it() -> None:
    assert fast_open_headline(established()) is None


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (FastOpenCounts(3, 3, 2, 2), "works: the server acknowledged the data in 2 of 2 SYNs"),
        (FastOpenCounts(3, 3, 2, 0, 1), "drops them"),
        (FastOpenCounts(3, 3, 2, carried_established=2), "Its cookie key has changed"),
        (FastOpenCounts(2, 2), "The server gives no cookie"),
        (FastOpenCounts(1, 1), "shows in the next connect"),
        (FastOpenCounts(2, 1, 1), "but that this host has a cookie"),
        (FastOpenCounts(2, 2, withheld=2), "tcp_fastopen_blackhole_timeout_sec, 0 for never"),
    ],
)
def test_the_verdict_on_fast_open(counts: FastOpenCounts, words: str) -> None:
    assert words in (fast_open_verdict(counts) or "")


@pytest.mark.parametrize(
    "report",
    [
        fast_open(2),  # with a cookie
        fast_open(failure="no_cookie"),
        fast_open(),  # in the pause after a black hole
    ],
)
@pytest.mark.parametrize(("ending", "errno"), [("refused", "ECONNREFUSED"), ("timeout", None), ("unreachable", None)])
def test_what_was_not_answered_accuses_no_fast_open(report: object, ending: str, errno: str | None) -> None:
    counts = summarize([failed(ending, errno, fast_open=report)] * 3).fast_open
    assert counts is not None
    assert (fast_open_verdict(counts) or "").startswith("Nothing is known of the server's Fast Open")


def test_no_word_of_fast_open_where_nothing_was_sent() -> None:
    for report in (fast_open(), fast_open(failure="no_cookie")):
        assert fast_open_headline(failed("not_sent", "EADDRNOTAVAIL", fast_open=report)) is None


def test_a_pause_after_a_black_hole_is_this_host_s_own() -> None:
    paused = changed(established(), fast_open=fast_open())
    assert fast_open_headline(paused) == "Fast Open: no data in the SYN"
    counts = summarize([paused, paused]).fast_open
    assert counts is not None
    assert "by the word of this host's kernel no SYN asked" in (fast_open_verdict(counts) or "")


def test_no_verdict_where_none_was_tried() -> None:
    assert fast_open_verdict(FastOpenCounts()) is None


def test_local_reasons_of_fast_open() -> None:
    assert local_reasons(FastOpenLocal()) == []
    assert local_reasons(FastOpenLocal(setting=3)) == []
    (off,) = local_reasons(FastOpenLocal(setting=2))
    assert "tcp_fastopen, which is 2" in off


def test_what_fast_open_saves() -> None:
    one = changed(established(1000.0), first_byte_us=1000.0)
    taken = fast_open(2, accepted=True)
    other = changed(established(1000.0), first_byte_us=10.0, fast_open=taken)
    slow = changed(established(1000.0), first_byte_us=1000.0, fast_open=taken)
    assert "saves 990 µs" in (gain(summarize([one]), summarize([other])) or "")
    assert "saves nothing" in (gain(summarize([changed(one, first_byte_us=10.0)]), summarize([slow])) or "")
    assert gain(summarize([established()]), summarize([other])) is None
    # Nothing was saved where the server did not take the data.
    ignored = changed(other, fast_open=fast_open(2, failure="data_not_acknowledged"))
    assert gain(summarize([one]), summarize([ignored, ignored, other])) is None
