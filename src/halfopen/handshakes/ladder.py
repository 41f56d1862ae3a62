"""One connection step by step: which one is meant, what is relative to what, what to leave out.

Drawing is ``halfopen.render.ladder``; here are the decisions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from halfopen.model.exchange import ExchangeIcmp, ExchangePacket

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from halfopen.model.exchange import Exchange

#: Packets drawn from the begin and from the end of a long exchange; between them only what matters to the connection.
HEAD, TAIL = 12, 8

#: Packets of the middle that are drawn because they carry SYN, FIN or RST or were called invalid.
MIDDLE_MOST = 20

_SEPARATOR = re.compile(r"\s*(?:→|->|,|-)\s*")
_PEER = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\]:(?P<port6>\d{1,5})|(?P<v4>[0-9.]+):(?P<port4>\d{1,5})")
_MODULUS = 1 << 32


@dataclass(frozen=True, slots=True)
class FourTuple:
    """Two ends of a connection, in either order."""

    first: str
    first_port: int
    second: str
    second_port: int

    def matches(self, client: str, client_port: int, server: str, server_port: int) -> bool:
        """Whether it names this connection; which end was written first does not matter."""
        mine = {(self.first, self.first_port), (self.second, self.second_port)}
        return mine == {(client, client_port), (server, server_port)}


@dataclass(frozen=True, slots=True)
class Step:
    """One packet with what is relative about it."""

    event: ExchangePacket | ExchangeIcmp
    since_start_ns: int
    since_last_ns: int | None
    """Since the packet before, whether or not that one is shown. None at the first."""
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
    duration_ns: int
    """From the packet before to the packet after."""


def parse_selector(text: str) -> int | FourTuple:
    """What ``--ladder`` takes: the number of a handshake, or the two ends of a connection.

    Ends are ``10.0.0.1:1234`` or ``[2001:db8::1]:1234``, joined by ``-``, ``,``, ``->`` or ``→``.

    Raises:
        ValueError: it is neither; the text says what is expected.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    first = _PEER.match(text)
    joint = _SEPARATOR.match(text, first.end()) if first else None
    second = _PEER.fullmatch(text, joint.end()) if joint else None
    if first is None or second is None:
        raise ValueError(
            "expected the number of a handshake, or two ends such as 10.0.0.1:1234-10.0.0.2:443 ([…]:port for IPv6)"
        )
    return FourTuple(*_peer(first), *_peer(second))


def steps(exchange: Exchange) -> list[Step]:
    """Every event with its relative times and numbers."""
    zero = _zeros(exchange)
    start = exchange.events[0].time_ns if exchange.events else 0
    result: list[Step] = []
    for event in exchange.events:
        last = result[-1].event.time_ns if result else None
        seq, ack = _numbers(event, zero)
        since = None if last is None else event.time_ns - last
        result.append(Step(event, event.time_ns - start, since, seq, ack))
    return result


def elide(exchange: Exchange) -> list[Step | Gap]:
    """The steps worth drawing, with gaps that say what was left out."""
    everything = steps(exchange)
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
    before = everything[max(last, 0)].event.time_ns
    return Gap(len(hidden) + omitted, None if omitted else payload, everything[following].event.time_ns - before)


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


def _peer(match: re.Match[str]) -> tuple[str, int]:
    address, port = match["v6"] or match["v4"], int(match["port6"] or match["port4"])
    if port > 65535:
        raise ValueError(f"{port} is no port: at most 65535")
    try:
        parsed = ip_address(address)
    except ValueError:
        raise ValueError(f"{address} is no IP address") from None
    # The records spell a mapped address as RFC 5952 section 5 recommends, Python does so from 3.13 on.
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (f"::ffff:{mapped}" if mapped else str(parsed)), port
