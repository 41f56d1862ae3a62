"""What is relative to what in a ladder, and what of a long one is left out."""

from __future__ import annotations

from typing import Any

from halfopen.handshakes.ladder import HEAD, TAIL, Gap, Step, elide, steps
from halfopen.model.exchange import Exchange, ExchangeIcmp, ExchangePacket
from halfopen.model.handshake import Handshake

SYN, RST, ACK = 2, 4, 16


def sent(time_ns: int, flags: int, seq: int, ack: int = 0, **more: Any) -> ExchangePacket:  # noqa: ANN401
    return ExchangePacket(time_ns, from_client=True, flags=flags, seq=seq, ack=ack, **more)


def received(time_ns: int, flags: int, seq: int, ack: int = 0, **more: Any) -> ExchangePacket:  # noqa: ANN401
    return ExchangePacket(time_ns, from_client=False, flags=flags, seq=seq, ack=ack, **more)


def exchange(*packets: ExchangePacket, isn_client: int | None = None, isn_server: int | None = None) -> Exchange:
    handshake = Handshake(
        "a.pcap", 0, "10.0.0.1", 1234, "10.0.0.2", 443, "established", isn_client=isn_client, isn_server=isn_server
    )
    return Exchange(handshake, packets)


def test_numbers_are_relative_across_the_wrap() -> None:
    numbers = exchange(
        sent(1000, SYN, 2**32 - 1),
        received(3000, SYN | ACK, 7, 0),
        sent(3500, ACK, 0, 8),
        sent(3600, ACK, 2**32 - 2, 8),
        isn_client=2**32 - 1,
        isn_server=7,
    )
    shown = steps(numbers)
    assert [(step.seq, step.ack) for step in shown] == [(0, None), (0, 1), (1, 1), (-1, 1)]
    assert [step.since_start_ns for step in shown] == [0, 2000, 2500, 2600]
    assert [step.since_last_ns for step in shown] == [None, 2000, 500, 100]


def test_without_isn_the_first_packet_of_a_side_is_zero() -> None:
    shown = steps(exchange(sent(0, ACK, 500, 90), received(1, ACK, 90, 510)))
    assert [(step.seq, step.ack) for step in shown] == [(0, 0), (0, 10)]


def test_an_unknown_side_stays_unknown() -> None:
    assert steps(exchange(sent(0, ACK, 500, 90)))[0].ack is None


def data(count: int) -> list[ExchangePacket]:
    return [sent(i * 1000, ACK, i * 10, payload_len=10, frame=i) for i in range(count)]


def test_a_gap_is_not_worth_it_for_one_packet() -> None:
    shown = elide(exchange(*data(HEAD + TAIL + 1)))
    assert all(isinstance(item, Step) for item in shown)


def test_the_middle_is_counted() -> None:
    shown = elide(exchange(*data(100)))
    hidden = 100 - HEAD - TAIL
    assert shown[HEAD] == Gap(hidden, hidden * 10, (hidden + 1) * 1000)
    assert len(shown) == HEAD + 1 + TAIL


def test_what_tells_something_stays() -> None:
    packets = data(100)
    packets[50] = received(50_000, RST, 0, frame=50)
    packets[60] = sent(60_000, ACK, 0, frame=60, verdict="invalid")
    frames = [item.event.frame for item in elide(exchange(*packets)) if isinstance(item, Step)]
    assert {50, 60} <= set(frames)
    assert len(frames) == HEAD + TAIL + 2


def test_packets_that_were_not_kept_are_counted_where_they_stood() -> None:
    kept = Exchange(exchange().handshake, tuple(data(4)), omitted=500, omitted_after=2)
    shown = elide(kept)
    assert shown[2] == Gap(500, None, 1000)
    assert [item.event.frame for item in shown if isinstance(item, Step)] == [0, 1, 2, 3]


def test_both_kinds_of_gap_are_one() -> None:
    kept = Exchange(exchange().handshake, tuple(data(100)), omitted=500, omitted_after=50)
    assert [item.packets for item in elide(kept) if isinstance(item, Gap)] == [500 + 100 - HEAD - TAIL]


def test_an_icmp_error_is_relative_to_what_it_quotes() -> None:
    error = ExchangeIcmp(9, 3, 1, "10.0.0.9", seq=77)
    shown = steps(Exchange(exchange(isn_client=77).handshake, (sent(0, SYN, 77), error)))
    assert (shown[1].seq, shown[1].ack, shown[1].since_last_ns) == (0, None, 9)
