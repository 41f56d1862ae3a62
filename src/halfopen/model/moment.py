"""A point in time, as a person names it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from halfopen.model.quantity import duration, moment

_UNITS_NS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "min": 60 * 10**9, "m": 60 * 10**9, "h": 3600 * 10**9,
    "d": 86400 * 10**9,
}  # fmt: skip
_DURATION = re.compile(r"(\d+(?:\.\d+)?) ?(ns|us|µs|ms|s|min|m|h|d)(?: (?=\d)|(?=\d)|$)", re.ASCII)
_EPOCH_SECONDS = re.compile(r"(\d+)(?:\.(\d{1,9}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: The record's ``start_ns`` is a signed 64-bit number of nanoseconds, which ends in the year 2262.
_NS_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: nanoseconds since the epoch, or since the first packet when ``relative``."""

    ns: int
    relative: bool = False

    def __str__(self) -> str:
        """«1.5 s after the first packet», «2026-11-23 07:00:00.5 UTC»."""
        if self.relative:
            return f"{duration(self.ns / 1000)} after the first packet"
        seconds, fraction = divmod(self.ns, 10**9)
        digits = f".{fraction:09}".rstrip("0") if fraction else ""
        return moment(seconds * 10**9).replace(" UTC", f"{digits} UTC")

    @classmethod
    def parse(cls, text: str) -> Self:
        """``2026-11-23T07:00:00.5Z`` (UTC without a zone), ``1763884800.5`` (epoch), ``+1m30s`` (after the first).

        Raises:
            ValueError: none of these.
        """
        if text.startswith("+"):
            return cls(_checked(duration_ns(text[1:])), relative=True)
        if seconds := _EPOCH_SECONDS.fullmatch(text):
            return cls(_checked(int(seconds[1]) * 10**9 + int((seconds[2] or "").ljust(9, "0"))))
        when = datetime.fromisoformat(text)
        aware = when if when.tzinfo else when.replace(tzinfo=UTC)
        return cls(_checked((aware - _EPOCH) // timedelta(microseconds=1) * 1000))


def _checked(ns: int) -> int:
    if not 0 <= ns <= _NS_MAX:
        raise ValueError("before 1970 or after 2262")
    return ns


def duration_ns(text: str) -> int:
    """``200ms``, ``1m30s``, ``5min``, ``2 min 5 s`` in nanoseconds: what this program prints, and what people type.

    Raises:
        ValueError: it is none: the unit belongs to every number.
    """
    parts = list(_DURATION.finditer(text))
    if not parts or "".join(part[0] for part in parts) != text:
        raise ValueError("not a duration")
    return sum(round(float(part[1]) * _UNITS_NS[part[2]]) for part in parts)
