"""How a quantity is written for a person: counts, shares, durations, sizes.

One module, so that the same number reads the same in a sentence, a table and a chart. Every function returns text for
a known number; an unknown one (``None``) becomes ``UNKNOWN`` and is never written as 0.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

UNKNOWN = "—"

#: From here on an estimated count is shortened («9.9 M»): the digits left out would be false precision.
ABBREVIATE_FROM = 10_000

_DURATION_UNITS = ((1e6, "s"), (1e3, "ms"), (1.0, "µs"))
#: Digits of a duration, and from where on it is written in minutes: 59.95 s would round to 60 s.
_DIGITS = 3
_LONG_US = 59.95e6
_SIZE_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def grouped(count: int | None) -> str:
    """``1204`` as ``1 204``."""
    return UNKNOWN if count is None else f"{count:,}".replace(",", " ")


def estimated(count: int | None) -> str:
    """A count that is only an estimate: ``9 912 345`` as ``9.9 M``, small ones in full."""
    if count is None or count < ABBREVIATE_FROM:
        return grouped(count)
    value, unit = float(count), ""
    for step in ("k", "M", "G", "T"):
        value, unit = value / 1000, step
        if value < 999.5:
            break
    return f"{_trimmed(f'{value:.1f}')} {unit}" if value < 99.95 else f"{value:.0f} {unit}"


def plural(count: int, singular: str, plural_form: str | None = None) -> str:
    """``1 connect``, ``1 204 connects``; ``plural_form`` where adding an s is wrong."""
    return f"{grouped(count)} {singular if count == 1 else plural_form or singular + 's'}"


def every(count: int, singular: str) -> str:
    """``both connects``, ``all 3 connects``; of one it is for the caller to say «the only»."""
    return f"both {singular}s" if count == 2 else f"all {plural(count, singular)}"


def share(part: int | None, whole: int | None) -> str:
    """``part`` of ``whole`` in per cent. Only nothing is «0 %» and only everything is «100 %»."""
    if part is None or not whole:
        return UNKNOWN
    percent = 100 * part / whole
    if 0 < percent < 0.05:
        return "<0.1 %"
    if part < whole and percent >= 99.95:
        return ">99.9 %"
    return f"{_trimmed(f'{percent:.1f}')} %"


def duration(microseconds: float | None) -> str:
    """``31 ms``, ``1.03 s``, ``2 min 5 s``: three digits at most up to a minute, whole units above."""
    if microseconds is None:
        return UNKNOWN
    if microseconds < 0:
        return "-" + duration(-microseconds)
    if microseconds >= _LONG_US:
        return _long_duration(microseconds)
    if microseconds == 0:
        return "0"
    # Round first, so that 999.6 ms becomes 1 s and not 1000 ms.
    rounded = float(f"{microseconds:.3g}")
    for factor, unit in _DURATION_UNITS:
        if rounded >= factor:
            return f"{_three_digits(rounded / factor)} {unit}"
    return f"{round(microseconds * 1000)} ns"


def measured(microseconds: float, uncertainty_us: float) -> str:
    """A duration that is known better than three digits tell: ``10 800.123 s (3 h 0 min)``, known to 18 ms."""
    known = min(max(uncertainty_us, 1.0), abs(microseconds) or 1.0)
    factor, unit = next(((f, u) for f, u in _DURATION_UNITS if abs(microseconds) >= f), _DURATION_UNITS[-1])
    digits = math.floor(math.log10(abs(microseconds) / known)) + 2 if microseconds else 0
    if digits <= _DIGITS and abs(microseconds) < _LONG_US:
        return duration(microseconds)
    decimals = max(0, math.ceil(-math.log10(known / factor)) + 1)
    text = f"{microseconds / factor:,.{decimals}f}".replace(",", " ")
    long = f" ({duration(microseconds)})" if abs(microseconds) >= _LONG_US else ""
    return f"{text} {unit}{long}"


def size(count: int | None) -> str:
    """Bytes in decimal units: ``2.15 GB``."""
    if count is None:
        return UNKNOWN
    value = float(count)
    for unit in _SIZE_UNITS:
        if value < 999.5 or unit == _SIZE_UNITS[-1]:
            break
        value /= 1000
    return f"{_three_digits(value)} {unit}"


def moment(nanoseconds: int | None) -> str:
    """A time of the capture in UTC, to the second."""
    when = _utc(nanoseconds)
    return UNKNOWN if when is None else f"{when:%Y-%m-%d %H:%M:%S} UTC"


def span(start_ns: int | None, end_ns: int | None) -> str:
    """«2026-05-01 12:00:00 to 12:02:30 UTC (2 min 30 s)»; what is the same is said once."""
    start, end = _utc(start_ns), _utc(end_ns)
    if start is None or end is None or start_ns is None or end_ns is None:
        return UNKNOWN
    length = duration((end_ns - start_ns) / 1000)
    if start.replace(microsecond=0) == end.replace(microsecond=0):
        return moment(start_ns) if start_ns == end_ns else f"{moment(start_ns)} ({length})"
    last = f"{end:%H:%M:%S}" if start.date() == end.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    return f"{start:%Y-%m-%d %H:%M:%S} to {last} UTC ({length})"


def endpoint(address: str | None, port: int | None) -> str:
    """``10.0.0.5:443``, ``[2001:db8::1]:443``."""
    if address is None:
        return UNKNOWN
    host = f"[{address}]" if ":" in address else address
    return f"{host}:{UNKNOWN if port is None else port}"


def listed(items: list[str], most: int = 3) -> str:
    """«a», «a and b», «a, b and c», «a, b, c and 12 more»."""
    shown = items[:most]
    if len(items) > most:
        shown.append(f"{grouped(len(items) - most)} more")
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else ""


def _utc(nanoseconds: int | None) -> datetime | None:
    try:
        return None if nanoseconds is None else datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
    except (OverflowError, OSError, ValueError):  # a hostile file may claim any time
        return None


def _long_duration(microseconds: float) -> str:
    seconds = round(microseconds / 1e6)
    if seconds >= 86400:
        return f"{seconds // 86400} d {seconds % 86400 // 3600} h"
    if seconds >= 3600:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def _three_digits(value: float) -> str:
    return _trimmed(f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
