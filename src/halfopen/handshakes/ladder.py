"""One connection step by step: what is relative to what, what to leave out.

Drawing is ``halfopen.render.ladder``; here are the decisions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from halfopen.model.exchange import ExchangeIcmp, ExchangePacket

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halfopen.model.exchange import Exchange

#: Packets drawn from the begin and from the end of a long exchange; between them only what matters to the connection.
HEAD, TAIL = 12, 8

#: Packets of the middle that are drawn because they carry SYN, FIN or RST or were called invalid.
MIDDLE_MOST = 20

_MODULUS = 1 << 32


@dataclass(frozen=True, slots=True)
class Step:
    """One packet with what is relative about it."""

    event: ExchangePacket | ExchangeIcmp
    since_start_ns: int | None
    since_last_ns: int | None
    """Since the packet before, whether or not that one is shown. None at the first, and like the other where one of the
    two packets has no time."""
    seq: int | None
    """Relative to the initial sequence number of its side, which is 0. None when that is not known.

    Of an ICMP error: of the packet that it quotes.
    """
    ack: int | None
    """Relative to the initial sequence number of the other side. None without ACK, or when that is not known."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Packets that are left out."""

    packets: int
    payload: int | None
    """Bytes; None where some of the packets were not kept."""
    duration_ns: int | None
    """From the packet before to the packet after; None where one of them has no time."""


#: Longer than any way within a host or a switch, shorter than any retransmission timer of TCP.
_COPY_NS = 10_000_000


def with_copies(exchange: Exchange) -> Exchange:
    """The same exchange with the copies of all its packets marked, where it is known to hold copies.

    The table looks for copies in the handshake only, which is what it judges.
    """
    if "captured_twice" not in exchange.handshake.anomalies:
        return exchange
    seen: dict[tuple[object, ...], int] = {}
    return replace(exchange, events=tuple(_marked(event, seen) for event in exchange.events))


def _marked(event: ExchangePacket | ExchangeIcmp, seen: dict[tuple[object, ...], int]) -> ExchangePacket | ExchangeIcmp:
    if isinstance(event, ExchangeIcmp):
        return event
    packet = (event.from_client, event.flags, event.seq, event.ack, event.window, event.payload_len)
    first = seen.get(packet)
    between = _between(first, event.time_ns)
    if event.verdict == "copy" or between is None or between > _COPY_NS:
        if event.time_ns is not None:
            seen[packet] = event.time_ns
        return event
    del seen[packet]  # the next one is another packet: an ACK may well be sent again at once
    return replace(event, verdict="copy")


def steps(exchange: Exchange) -> list[Step]:
    """Every event with its relative times and numbers."""
    zero = _zeros(exchange)
    start = exchange.events[0].time_ns if exchange.events else None
    result: list[Step] = []
    for event in exchange.events:
        last = result[-1].event.time_ns if result else None
        seq, ack = _numbers(event, zero)
        result.append(Step(event, _between(start, event.time_ns), _between(last, event.time_ns), seq, ack))
    return result


def _between(earlier_ns: int | None, later_ns: int | None) -> int | None:
    return None if earlier_ns is None or later_ns is None else later_ns - earlier_ns


def elide(exchange: Exchange) -> list[Step | Gap]:
    """The steps worth drawing, with gaps that say what was left out."""
    everything = steps(with_copies(exchange))
    chosen = _chosen(everything)
    result: list[Step | Gap] = []
    last = -1
    for i in sorted(chosen):
        omitted = exchange.omitted if last < exchange.omitted_after <= i else 0
        if i - last > 1 or omitted:
            result.append(_gap(everything, last, i, omitted))
        result.append(everything[i])
        last = i
    return result


def _chosen(everything: Sequence[Step]) -> set[int]:
    count = len(everything)
    # A gap of one packet would take as much room as the packet.
    if count <= HEAD + TAIL + 1:
        return set(range(count))
    chosen = {*range(HEAD), *range(count - TAIL, count)}
    telling = [i for i in range(HEAD, count - TAIL) if _is_telling(everything[i].event)]
    return chosen | set(telling[:MIDDLE_MOST])


def _is_telling(event: ExchangePacket | ExchangeIcmp) -> bool:
    if isinstance(event, ExchangeIcmp):
        return True
    return event.verdict == "invalid" or any(event.has(flag) for flag in ("SYN", "FIN", "RST"))


def _gap(everything: Sequence[Step], last: int, following: int, omitted: int) -> Gap:
    hidden = everything[last + 1 : following]
    payload = sum(step.event.payload_len for step in hidden if isinstance(step.event, ExchangePacket))
    between = _between(everything[max(last, 0)].event.time_ns, everything[following].event.time_ns)
    return Gap(len(hidden) + omitted, None if omitted else payload, between)


def _zeros(exchange: Exchange) -> dict[bool, int | None]:
    """The initial sequence number of each side, by ``from_client``; where it is unknown, of its first packet."""
    zero = {True: exchange.handshake.isn_client, False: exchange.handshake.isn_server}
    for event in exchange.events:
        if isinstance(event, ExchangePacket) and zero[event.from_client] is None and not event.has("RST"):
            zero[event.from_client] = event.seq
    return zero


def _numbers(event: ExchangePacket | ExchangeIcmp, zero: Mapping[bool, int | None]) -> tuple[int | None, int | None]:
    """The relative sequence and acknowledgment numbers."""
    if isinstance(event, ExchangeIcmp):
        return (None if event.seq is None else _relative(event.seq, zero[event.to_client])), None
    ack = _relative(event.ack, zero[not event.from_client]) if event.has("ACK") else None
    return _relative(event.seq, zero[event.from_client]), ack


def _relative(number: int, zero: int | None) -> int | None:
    """RFC 9293 section 3.4 arithmetic, with numbers slightly below zero shown as negative."""
    if zero is None:
        return None
    difference = (number - zero) % _MODULUS
    return difference if difference < _MODULUS // 2 else difference - _MODULUS
