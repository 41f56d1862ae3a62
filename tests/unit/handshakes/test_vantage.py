"""Where a capture was taken, by time and by TTL, and when it cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from halfopen.handshakes.vantage import infer
from halfopen.model.summary import Summary


def capture(to_server: float, to_client: float, near: tuple[int, int], **ttls: Any) -> Summary:  # noqa: ANN401
    evidence = {"judged": 100, "near_client": near[0], "near_server": near[1], **ttls}
    times = {
        "handshake": {"count": 100, "p50": to_server + to_client},
        "syn_ack_to_ack": {"count": 100, "p50": to_client},
    }
    return Summary.from_json({"latency_us": times, "vantage": evidence})


UNTOUCHED = {"known": 100, "pristine": 100, "hops_p50": 0}
ROUTED = {"known": 100, "pristine": 0, "hops_p50": 7}
MIXED = {"known": 100, "pristine": 50, "hops_p50": 1}


@pytest.mark.parametrize(
    ("numbers", "place", "reason"),
    [
        (
            capture(31_000, 40, (99, 0), ttl_client=UNTOUCHED, ttl_server=ROUTED),
            "client",
            "At or near the client: 31 ms to the server and back, 40 µs to the client; "
            "no router between it and the client.",
        ),
        (
            capture(40, 31_000, (0, 97)),
            "server",
            "At or near the server: 40 µs to the server and back, 31 ms to the client.",
        ),
        (
            capture(50_000, 9000, (95, 0), ttl_client=ROUTED, ttl_server=ROUTED),
            "client",
            "Nearer to the client than to the server: 50 ms to the server and back, 9 ms to the client; "
            "7 routers between it and the client.",
        ),
        (
            capture(9000, 800, (95, 0), ttl_client=ROUTED, ttl_server=UNTOUCHED),
            None,
            "Cannot be told, because the times put it near the client (9 ms to the server and back, 800 µs to the "
            "client), the TTLs beside the server.",
        ),
        (
            capture(15_000, 14_000, (2, 1), ttl_client=ROUTED, ttl_server=MIXED),
            "middle",
            "Between client and server: 15 ms to the server and back, 14 ms to the client; "
            "7 routers on the client's side, 1 router on the server's.",
        ),
        (
            capture(800, 900, (60, 38)),
            "both",
            "Near the client in 60 % and near the server in 38 % of the handshakes: beside a host or a network that "
            "both opens and accepts.",
        ),
        (
            capture(60, 20, (80, 0), ttl_client=UNTOUCHED, ttl_server=UNTOUCHED),
            None,
            "Cannot be told, because the round trip of 80 µs is as short as a host's own reaction "
            "and no router lies on either side.",
        ),
        (
            capture(60, 20, (80, 0), ttl_client=ROUTED, ttl_server=UNTOUCHED),
            "server",
            "On the server's network: its TTLs are untouched, the client's are not.",
        ),
        (
            capture(700, 600, (30, 5), ttl_client=MIXED, ttl_server=ROUTED),
            None,
            "Cannot be told, because the split of the round trip differs from handshake to handshake "
            "and the TTLs do not agree.",
        ),
        (
            Summary(outcomes={"established": 1}),
            None,
            "Cannot be told, because no completed handshake shows both legs of the round trip.",
        ),
        (
            Summary(outcomes={"unanswered": 1}),
            None,
            "Cannot be told, because no completed handshake is in this capture.",
        ),
    ],
)
def test_vantage(numbers: Summary, place: str | None, reason: str) -> None:
    vantage = infer(numbers)
    assert (vantage.place, vantage.reason) == (place, reason)


def test_the_timer_of_repeated_syn_acks_is_no_distance() -> None:
    document = dict(capture(50, 1_010_000, (0, 97)).document)
    document["latency_us"]["syn_ack_to_ack"]["min"] = 2100
    document |= {"outcomes": {"established": 80}, "retransmission": {"syn_ack_handshakes": 60}}
    vantage = infer(Summary.from_json(document))
    assert vantage.reason == "At or near the server: 50 µs to the server and back, 2.1 ms to the client."
