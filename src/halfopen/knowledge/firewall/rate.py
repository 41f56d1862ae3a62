"""Rates as both tools write them: ``10/sec``, ``10/second``, ``30/m``."""

from __future__ import annotations

_UNITS = ("second", "minute", "hour", "day", "week")
_SECONDS = dict(zip(_UNITS, (1, 60, 3600, 86_400, 604_800), strict=True))


def per_unit(rate: str) -> str:
    """``10/sec`` → ``10/second``; what is no such rate stays as it is. Without a unit, iptables means seconds."""
    number, _, unit = rate.partition("/")
    if not number.isdigit():
        return rate
    full = next((name for name in _UNITS if name.startswith(unit.lower())), None)
    return rate if full is None else f"{number}/{full}"


def per_second(rate: str) -> float | None:
    """Packets a second of ``over 10/minute burst 5`` as a rule keeps it; None for any other limit."""
    words = rate.removeprefix("over ").split(" ")
    number, _, unit = words[0].partition("/")
    return int(number) / _SECONDS[unit] if number.isdigit() and unit in _SECONDS else None
