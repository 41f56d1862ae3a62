"""Option values that are more than a word or a number: a moment in a capture, and one handshake of many."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any

import click

_UNITS_NS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_EPOCH_SECONDS = re.compile(r"(\d+)(?:\.(\d{1,9}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The record's ``start_ns`` is a signed 64-bit number of nanoseconds, which ends in the year 2262.
_NS_MAX = 2**63 - 1
_TUPLE_SEPARATOR = re.compile(r"\s*(?:->|→|>|,|\s|(?<=\d)-)\s*")


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: nanoseconds since the epoch, or since the first packet when ``relative``."""

    ns: int
    relative: bool = False


@dataclass(frozen=True, slots=True)
class FourTuple:
    """The two ends of a connection, in either order; addresses in their canonical text form."""

    address: str
    port: int
    peer: str
    peer_port: int


def parse_moment(text: str) -> Moment:
    """``2026-11-23T07:00:00.5Z`` (UTC without a zone), ``1763884800.5`` (epoch), ``+1m30s`` (from the first packet).

    Raises:
        ValueError: none of these.
    """
    if text.startswith("+"):
        return Moment(_duration_ns(text[1:]), relative=True)
    if seconds := _EPOCH_SECONDS.fullmatch(text):
        return _checked(int(seconds[1]) * 10**9 + int((seconds[2] or "").ljust(9, "0")))
    moment = datetime.fromisoformat(text)
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return _checked((aware - _EPOCH) // timedelta(microseconds=1) * 1000)


def _checked(ns: int) -> Moment:
    if not 0 <= ns <= _NS_MAX:
        raise ValueError("before 1970 or after 2262")
    return Moment(ns)


def _duration_ns(text: str) -> int:
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError("not a duration")
    return sum(round(float(number) * _UNITS_NS[unit]) for number, unit in parts)


def parse_which(text: str) -> int | FourTuple:
    """``7``, the seventh handshake of the capture, or ``10.0.0.1:4242 10.0.0.2:443``, its two ends.

    The ends may be separated by a space, a comma, ``-``, ``->`` or ``→``. IPv6 is ``[2001:db8::1]:443``.

    Raises:
        ValueError: neither.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        if int(text) == 0:
            raise ValueError("handshakes are numbered from 1")
        return int(text)
    ends = [end for end in _TUPLE_SEPARATOR.split(text) if end]
    if len(ends) != 2:
        raise ValueError("neither a number nor two ends")
    return FourTuple(*_end(ends[0]), *_end(ends[1]))


def _end(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 0xFFFF):
        raise ValueError(f"{text!r} has no port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    return str(ip_address(host)), int(port)


class MomentType(click.ParamType[Any]):
    """``--since``, ``--until``."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Moment:  # noqa: ANN401
        """The moment; anything else is a usage error that shows the three forms."""
        try:
            return value if isinstance(value, Moment) else parse_moment(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time: 2026-11-23T07:00:00Z, 1763884800.5 and +1m30s are", param, ctx)


class WhichType(click.ParamType[Any]):
    """``--ladder``."""

    name = "n|four-tuple"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | FourTuple:  # noqa: ANN401
        """The handshake meant; anything else is a usage error that shows both forms."""
        try:
            return value if isinstance(value, (int, FourTuple)) else parse_which(value)
        except ValueError:
            self.fail(f"{value!r} is no handshake: 7 and 10.0.0.1:4242-10.0.0.2:443 are", param, ctx)
