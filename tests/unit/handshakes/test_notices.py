"""Each notice: what makes it fire, in which words, and what must leave it silent."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.handshakes.build import START_NS, host, row, summary, waits

from halfopen.handshakes.notices import notices
from halfopen.handshakes.notices.silence import NO_LONGER, ONE_CLIENT
from halfopen.handshakes.notices.waiting import IN_TIME, LATE, in_bursts
from halfopen.model.summary import Summary, Timeline

FLOOD: dict[str, Any] = {"half_open": 200, "unanswered": 9800, "failed_clients": 9950}
SCANNED = [host("10.0.0.5", ports=30, server_port=None, handshakes=30, outcomes={"refused": 28, "established": 2})]
SWEPT = [host(f"10.0.1.{i}", server_port=22, handshakes=1, syn_sent=2) for i in range(1, 21)]

FIRES = [
    (
        "a third waited, at two steps",
        summary(row(established=1201, unanswered=3, retransmission=waits(1201, s1=250, s3=62))),
        "312 of 1 204 connects to 10.0.0.5:443 waited 1 s or 3 s for a retransmitted SYN.",
    ),
    (
        "the only connect waited",
        summary(row(established=1, retransmission=waits(1, s3=1))),
        "The only connect to 10.0.0.5:443 waited 3 s for a retransmitted SYN.",
    ),
    (
        "waits all over the place",
        summary(row(established=40, retransmission=waits(40, **dict.fromkeys([f"s{i}" for i in range(1, 13)], 1)))),
        "12 of 40 connects to 10.0.0.5:443 waited up to 12 s for a retransmitted SYN.",
    ),
    (
        "a wait shorter than the histogram's first step",
        summary(row(established=5, retransmission={"answered": 5, "waited": 2, "waits": [{"seconds": 0, "count": 5}]})),
        "2 of 5 connects to 10.0.0.5:443 waited less than 0.5 s for a retransmitted SYN.",
    ),
    (
        "a silent host, one port",
        summary(row("10.0.0.7", unanswered=2, syn_sent=4), silent_hosts=[host("10.0.0.7")]),
        "10.0.0.7 never answers: 2 connects (4 SYNs) to port 443 over 1 min.",
    ),
    (
        "a silent host, two ports, several clients",
        summary(
            row("10.0.0.7", unanswered=1, syn_sent=2),
            row("10.0.0.7", 8443, unanswered=1, syn_sent=2),
            silent_hosts=[host("10.0.0.7", ports=2, server_port=None, clients=3)],
        ),
        "10.0.0.7 never answers: 2 connects (4 SYNs) to ports 443 and 8443 from 3 clients over 1 min.",
    ),
    (
        "a silent port of a host that answers",
        summary(row(established=9), row(port=8443, unanswered=3, syn_sent=9)),
        "10.0.0.5:8443 never answers: 3 connects (9 SYNs) over 1 min; other ports of the host do.",
    ),
    (
        "a silent port of a host that goes on with an older connection",
        summary(row("10.0.0.7", unanswered=2, syn_sent=4), silent_hosts=[host("10.0.0.7", sent_midstream=True)]),
        "10.0.0.7:443 never answers: 2 connects (4 SYNs) over 1 min; other ports of the host do.",
    ),
    (
        "unanswered attempts that were chosen by a condition",
        summary(
            row("10.0.0.7", unanswered=2, syn_sent=4),
            silent_hosts=[host("10.0.0.7")],
            filter='outcome == "unanswered"',
        ),
        "Both connects to 10.0.0.7:443 got no answer.",
    ),
    (
        "the capture ended too early to tell",
        summary(
            row("10.0.0.7", unanswered=1), end_ns=START_NS, silent_hosts=[host("10.0.0.7", handshakes=1, syn_sent=1)]
        ),
        "10.0.0.7 had not answered when the capture ended: 1 connect, no SYN was repeated yet.",
    ),
    (
        "one client is ignored",
        summary(
            row(established=90, unanswered=3, syn_sent=99),
            silent_pairs=[
                {"client": "10.9.9.9", "server": "10.0.0.5", "server_port": 443, "unanswered": 3, "syn_sent": 9}
            ],
        ),
        "10.9.9.9 gets no answer from 10.0.0.5:443, which answers other connects: 3 connects (9 SYNs).",
    ),
    (
        "some got no answer",
        summary(row(established=9, unanswered=1)),
        "1 of 10 connects to 10.0.0.5:443 got no answer.",
    ),
    (
        "an address sweep",
        summary(silent_hosts=SWEPT, silent_hosts_total=254),
        "Looks like a network scan: 254 addresses that never answer were tried on port 22: "
        "10.0.1.1, 10.0.1.2, 10.0.1.3 and 251 more.",
    ),
    (
        "a forged flood",
        summary(row(port=80, established=40, **FLOOD, span_s=16)),
        "A SYN flood: 10 040 SYNs from 9 950 addresses to 10.0.0.5:80 over 16 s, 0.4 % completed.",
    ),
    (
        "a large flood, sources estimated",
        summary(
            row(
                port=80,
                established=40_000,
                unanswered=9_960_000,
                failed_clients=9_912_345,
                failed_clients_exact=False,
                span_s=16,
            )
        ),
        "A SYN flood: 10 000 000 SYNs from 9.9 M addresses to 10.0.0.5:80 over 16 s, 0.4 % completed.",
    ),
    (
        "a small flood from one address is only probable",
        summary(row(port=80, unanswered=300, span_s=2)),
        "Probably a SYN flood: 300 SYNs from 1 address to 10.0.0.5:80 over 2 s, 0 % completed.",
    ),
    (
        "a port scan",
        summary(*(row(port=p, refused=1) for p in range(1, 31)), hosts=SCANNED),
        "Looks like a port scan: 30 ports of 10.0.0.5 tried by one client over 1 min: 28 refused, 2 established.",
    ),
    ("all refused", summary(row(port=81, refused=14)), "Every connect to 10.0.0.5:81 was refused: 14 of 14."),
    ("the only one refused", summary(row(port=81, refused=1)), "The only connect to 10.0.0.5:81 was refused."),
    ("some refused", summary(row(established=7, refused=3)), "3 of 10 connects to 10.0.0.5:443 were refused."),
    (
        "partial ones are not counted against",
        summary(row(refused=3, partial=4)),
        "Every connect to 10.0.0.5:443 was refused: 3 of 3.",
    ),
    (
        "an ICMP error, and who sent it",
        summary(
            row("2001:db8::5", unreachable=2),
            failed=[
                {
                    "source": "a",
                    "start_ns": 0,
                    "client": "2001:db8::1",
                    "client_port": 1,
                    "server": "2001:db8::5",
                    "server_port": 443,
                    "outcome": "unreachable",
                    "icmp_type": 1,
                    "icmp_code": 1,
                    "icmp_from": "2001:db8::ffff",
                }
            ],
        ),
        "Both connects to [2001:db8::5]:443 ended with an ICMP error (administratively prohibited) "
        "from 2001:db8::ffff.",
    ),
    (
        "half-open",
        summary(row(established=377, half_open=23)),
        "23 of 400 connects to 10.0.0.5:443 stayed half-open: SYN-ACK sent, its ACK never seen.",
    ),
    (
        "reset by the client",
        summary(row(established=9, reset_by_client=1)),
        "1 of 10 connects to 10.0.0.5:443 was reset by the client before completion.",
    ),
    (
        "reset by the server",
        summary(row(established=8, reset_by_server=2)),
        "2 of 10 connects to 10.0.0.5:443 were reset by the server after its own SYN-ACK.",
    ),
    (
        "the SYN was answered, but sent again",
        summary(row(established=399, unanswered=1, retransmission={**waits(399, s1=36), "syn_handshakes": 71})),
        "34 of 400 connects to 10.0.0.5:443 repeated a SYN that the server did answer.",
    ),
    (
        "several had no time to answer",
        summary(
            row("10.0.0.7", unanswered=1),
            row("10.0.0.8", unanswered=1),
            row("10.0.0.5", established=3),
            row("10.0.0.5", 81, unanswered=1),
            end_ns=START_NS,
            silent_hosts=[host(f"10.0.0.{i}", handshakes=1, syn_sent=1) for i in (7, 8)],
        ),
        "10.0.0.7, 10.0.0.8 and 10.0.0.5:81 had not answered when the capture ended: 3 connects, "
        "no SYN was repeated yet.",
    ),
    (
        "the SYN-ACK was repeated although the ACK is there",
        summary(row(established=50, retransmission={"syn_ack": 9, "syn_ack_handshakes": 9})),
        "The server repeated its SYN-ACK in 9 of 50 connects to 10.0.0.5:443.",
    ),
    (
        "an anomaly",
        summary(row(established=9), anomalies={"syn_ack_wrong_ack": 1}),
        "1 handshake got a SYN-ACK that acknowledges something else than the SYN.",
    ),
    (
        "Fast Open fell back",
        summary(row(established=9), anomalies={"fast_open_fallback": 2}),
        "2 handshakes had to send the data of the SYN again (Fast Open fell back).",
    ),
    (
        "a filter left the third packet out",
        summary(row(half_open=500, failed_clients=480), tcp_segments=1000, syn_ack_sent=500),
        "The capture holds only SYNs and SYN-ACKs: whether a handshake completed cannot be told.",
    ),
    (
        "one direction",
        summary(row(established=40, syn_ack_sent=0), anomalies={"one_direction_captured": 40}),
        "Only the clients' packets are in the capture: which connects failed, and how long any took, cannot be told.",
    ),
    (
        "the other direction",
        summary(row(partial=40, syn_sent=0, syn_ack_sent=40), anomalies={"one_direction_captured": 40}),
        "Only the servers' packets are in the capture: connects can be judged in part, times not at all.",
    ),
    (
        "servers that repeat their SYN-ACK, seen alone",
        summary(row(partial=40, syn_sent=0, syn_ack_sent=43, retransmission={"syn_ack_handshakes": 3})),
        "The server repeated its SYN-ACK in 3 of 40 connects to 10.0.0.5:443.",
    ),
    (
        "first SYNs and nothing else",
        summary(row(unanswered=150), tcp_segments=150),
        "The capture holds nothing but SYNs, most of them sent once: whether they were answered cannot be told.",
    ),
    (
        "a flood, or a filter",
        summary(row(unanswered=10_000, failed_clients=9_900, syn_sent=10_000), tcp_segments=10_000),
        "10 000 SYNs from 9 900 addresses to 10.0.0.5:443 over 1 min, most of them sent once: a SYN flood, or connects "
        "whose answers a filter kept out.",
    ),
    (
        "some had no time to be answered",
        summary(row(established=50, unanswered=16, undecided={"unanswered": 13})),
        "3 of 66 connects to 10.0.0.5:443 got no answer.",
    ),
    (
        "they were under way",
        summary(row(established=50, unanswered=16, half_open=2, undecided={"unanswered": 13, "half_open": 1})),
        "14 handshakes were under way when the capture ended.",
    ),
    (
        "no SYN at all",
        summary(row(partial=9, syn_sent=0)),
        "No SYN is in the capture: it begins too late, or holds only the servers' packets.",
    ),
    (
        "damage, the worst first",
        summary(
            row(established=1),
            inputs=[{"path": "a", "packets": 9, "bytes": 9, "defects": {"tcp_truncated": 2, "cut_off": 1}}],
        ),
        "The capture is damaged or incomplete: 1 file ends inside a record (cut off, or still being written) "
        "and 2 packets cut inside the TCP header.",
    ),
    (
        "evicted",
        summary(row(established=1), evicted=1200),
        "1 200 connections did not fit into the flow table: judged by what had been seen so far.",
    ),
    (
        "the server holds TIME_WAIT",
        summary(row(established=100), time_wait={"server": 95, "client": 5}),
        "The server closed first and holds TIME_WAIT in 95 of 100 closed connections.",
    ),
    (
        "clients run out of ports",
        summary(row(established=60_000, clients=2), time_wait={"client": 60_000}),
        "Clients of 10.0.0.5:443 close first and come to hold about 30 k ports each in TIME_WAIT, "
        "of 28 232 in Linux's default range.",
    ),
    (
        "an outcome of a newer core",
        summary(row(established=1), outcomes={"established": 1, "teleported": 2}),
        "2 handshakes ended in a way that this version has no words for: teleported.",
    ),
]

SILENT = [
    ("nothing wrong", summary(row(established=24)), set()),
    ("loss that every long path has", summary(row(established=10_000, retransmission=waits(10_000, s1=9))), set()),
    ("a dead server, whose clients repeat their SYNs", summary(row(port=80, **FLOOD, syn_sent=30_000)), {"syn-flood"}),
    ("a closed port is refusal, not flood", summary(row(port=80, refused=10_000, failed_clients=9000)), {"syn-flood"}),
    ("a few unfinished ones", summary(row(half_open=99, failed_clients=99)), {"syn-flood"}),
    ("a slow trickle", summary(row(half_open=500, peak={"attempts": 17, "seconds": 1})), {"syn-flood"}),
    (
        "a busy server in a capture of SYNs only",
        summary(row(half_open=5000, failed_clients=4800), tcp_segments=10_000, syn_ack_sent=5000),
        {"syn-flood", "half-open"},
    ),
    (
        "connects of one client in a capture of first SYNs only",
        summary(row(unanswered=150), tcp_segments=150),
        {"syn-flood", "never-answers", "unanswered"},
    ),
    (
        "clients alone",
        summary(
            row(established=40, unanswered=2, syn_ack_sent=0, syn_sent=50, retransmission={"syn_handshakes": 5}),
            row(port=81, unanswered=3, syn_sent=9, syn_ack_sent=0),
            anomalies={"one_direction_captured": 40},
        ),
        {"never-answers", "unanswered", "syn-ack-lost-or-late"},
    ),
    (
        "the end of the capture",
        summary(row(established=50, unanswered=16, half_open=2, undecided={"unanswered": 16, "half_open": 2})),
        {"unanswered", "half-open"},
    ),
    ("a scan is told once", summary(*(row(port=p, refused=1) for p in range(1, 31)), hosts=SCANNED), {"refused"}),
    (
        "many ports that are services",
        summary(hosts=[host("10.0.0.5", ports=30, handshakes=40, outcomes={"established": 40})]),
        {"port-scan"},
    ),
    (
        "a pair that was answered later",
        summary(
            row(established=90, unanswered=3),
            silent_pairs=[
                {"client": "10.9.9.9", "server": "10.0.0.5", "server_port": 443, "unanswered": 3, "answered_later": 1}
            ],
        ),
        {"client-ignored"},
    ),
    (
        "a pair that was answered before",
        summary(
            row(established=90, unanswered=3),
            silent_pairs=[
                {
                    "client": "10.9.9.9",
                    "server": "10.0.0.5",
                    "server_port": 443,
                    "unanswered": 3,
                    "answered_before": True,
                }
            ],
        ),
        {"client-ignored"},
    ),
    (
        "a repeated SYN explains the second SYN-ACK",
        summary(
            row(
                established=50, retransmission={"waited": 9, "syn_handshakes": 9, "syn_ack": 9, "syn_ack_handshakes": 9}
            )
        ),
        {"syn-ack-repeated"},
    ),
    (
        "later fragments lose nothing",
        summary(row(established=1), inputs=[{"path": "a", "packets": 9, "bytes": 9, "defects": {"fragment": 4}}]),
        {"capture-damaged"},
    ),
    (
        "a busy server behind many clients",
        summary(row(established=60_000, clients=900), time_wait={"client": 60_000}),
        {"clients-running-out-of-ports"},
    ),
    (
        "an hour of the same is no shortage",
        summary(row(established=60_000, clients=1, span_s=3600), time_wait={"client": 60_000}),
        {"clients-running-out-of-ports"},
    ),
    (
        "which of two endpoints closes first is not known",
        summary(row(established=60_000), row(port=80, established=60_000), time_wait={"client": 60_000}),
        {"clients-running-out-of-ports"},
    ),
]


@pytest.mark.parametrize(("numbers", "sentence"), [case[1:] for case in FIRES], ids=[case[0] for case in FIRES])
def test_fires(numbers: Summary, sentence: str) -> None:
    assert sentence in [notice.text for notice in notices(numbers)]


@pytest.mark.parametrize(("numbers", "kinds"), [case[1:] for case in SILENT], ids=[case[0] for case in SILENT])
def test_silent(numbers: Summary, kinds: set[str]) -> None:
    found = {notice.kind for notice in notices(numbers)}
    assert not found & kinds if kinds else not found


def test_every_notice_is_whole_sentences() -> None:
    for _, numbers, _ in FIRES:
        for notice in notices(numbers):
            assert notice.text.endswith("."), notice
            assert not notice.hint or notice.hint.endswith("."), notice
            assert "None" not in notice.text
            assert notice.weight > 0


def test_troubles_come_first_and_the_heaviest_leads() -> None:
    numbers = summary(
        row(refused=3, established=9), row("10.0.0.6", refused=40), evicted=10**6, time_wait={"server": 9}
    )
    found = notices(numbers)
    assert [notice.severity for notice in found] == ["trouble", "trouble", "caveat", "fact"]
    assert found[0].text.startswith("Every connect to 10.0.0.6:443")


def test_what_many_endpoints_share_is_said_once() -> None:
    texts = [notice.text for notice in notices(summary(*(row(f"10.0.0.{i}", refused=9 + i) for i in range(1, 11))))]
    assert texts == ["145 connects to 10 endpoints were refused."]


def test_the_worst_of_many_are_named() -> None:
    counts = [9, 8, 7] + [1] * 40
    texts = [notice.text for notice in notices(summary(*(row(f"10.0.0.{i}", refused=n) for i, n in enumerate(counts))))]
    assert texts == [
        "64 connects to 43 endpoints were refused, most at 10.0.0.0:443 (9), 10.0.0.1:443 (8) and 10.0.0.2:443 (7)."
    ]


def test_those_that_stand_out_are_named_and_the_rest_follows_them() -> None:
    counts = [90, 50, 40, 5, 5, 5, 5]
    found = notices(summary(*(row(f"10.0.0.{i}", refused=count) for i, count in enumerate(counts))))
    assert [notice.text for notice in found] == [
        "Every connect to 10.0.0.0:443 was refused: 90 of 90.",
        "Every connect to 10.0.0.1:443 was refused: 50 of 50.",
        "Every connect to 10.0.0.2:443 was refused: 40 of 40.",
        "At 4 more endpoints, 20 connects were refused.",
    ]


def test_waits_at_many_endpoints_are_put_together() -> None:
    rows = [row(f"10.0.0.{i}", established=10, retransmission=waits(10, s1=1)) for i in range(1, 9)]
    assert [notice.text for notice in notices(summary(*rows))] == [
        "8 connects to 8 endpoints waited 1 s for a retransmitted SYN."
    ]


def test_a_sum_over_endpoints_of_which_some_are_unknown_is_a_lower_bound() -> None:
    rows = [row(f"10.0.0.{i}", refused=9) for i in range(9)]
    found = notices(summary(*rows, other_endpoints={"endpoints": 40, "handshakes": 40}))
    assert found[0].text == "At least 81 connects to 9 endpoints were refused."


def test_chance_hits_among_very_many_endpoints_are_no_notice() -> None:
    healthy = [row(f"10.0.1.{i}", established=1000, retransmission=waits(1000)) for i in range(9)]
    unlucky = row("10.0.0.1", established=8, retransmission=waits(8, s1=1))
    assert not notices(summary(*healthy, unlucky))
    bad = row("10.0.0.1", established=8, retransmission=waits(8, s1=3))
    assert [notice.kind for notice in notices(summary(*healthy, bad))] == ["waited-for-retransmission"]


def test_a_lone_rest_gets_its_own_sentence() -> None:
    texts = [notice.text for notice in notices(summary(*(row(f"10.0.0.{i}", refused=i) for i in range(1, 5))))]
    assert len(texts) == 4
    assert not any("more endpoint" in text for text in texts)


@pytest.mark.parametrize(
    ("attempts", "retransmitted", "expected"),
    [
        ([10, 10, 10, 10], [0, 10, 10, 0], True),
        ([10, 10, 10, 10], [2, 3, 2, 3], False),  # random loss
        ([10, 10], [10, 10], False),  # everything waits always: no burst
        ([10, 10, 10], [0, 9, 0], False),  # too few to say
        ([1] * 60, [0] * 20 + [1] * 20 + [0] * 20, True),  # narrow bins are joined
    ],
)
def test_bursts(attempts: list[int], retransmitted: list[int], expected: bool) -> None:
    timeline = Timeline(START_NS, 1.0, tuple(attempts), retransmitted=tuple(retransmitted))
    assert in_bursts(timeline) is expected


def test_bursts_and_the_side_of_the_capture_go_into_the_hint() -> None:
    numbers = summary(
        row(established=80, retransmission=waits(80, s1=20, s2=18), split={"judged": 42, "near_server": 42}),
        timeline={"start_ns": START_NS, "width_s": 1, "attempts": [20] * 4, "retransmitted": [0, 19, 19, 0]},
    )
    hint = notices(numbers)[0].hint
    assert "come in bursts" in hint
    assert "passed the capture point, which is near the server" in hint


@pytest.mark.parametrize(("clients", "hint"), [(1, NO_LONGER), (2, ONE_CLIENT)])
def test_a_rule_for_one_client_is_blamed_only_where_another_one_is_answered(clients: int, hint: str) -> None:
    pair = {"client": "10.9.9.9", "server": "10.0.0.5", "server_port": 443, "unanswered": 3, "syn_sent": 9}
    numbers = summary(row(established=9, unanswered=3, syn_sent=18, clients=clients), silent_pairs=[pair])
    assert [notice.hint for notice in notices(numbers) if notice.kind == "client-ignored"] == [hint]


@pytest.mark.parametrize(("slowest_us", "hint"), [(50.0, IN_TIME), (1_200_000.0, LATE), (None, LATE)])
def test_a_syn_ack_that_passed_in_time_was_not_too_late(slowest_us: float | None, hint: str) -> None:
    again = {"answered": 9, "syn_handshakes": 3, "syn": 3}
    latency = {"syn_to_syn_ack": {"count": 9, "max": slowest_us}}
    numbers = summary(row(established=9, retransmission=again, latency_us=latency))
    assert [notice.hint for notice in notices(numbers) if notice.kind == "syn-ack-lost-or-late"] == [hint]
