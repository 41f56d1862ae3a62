"""This host's own word on Fast Open, from /proc of this network namespace. No privilege needed."""

from __future__ import annotations

from pathlib import Path

from halfopen.model.probe import FastOpenLocal

_SETTINGS = "/proc/sys/net/ipv4/tcp_fastopen"
_COUNTERS = "/proc/net/netstat"


def read_fast_open() -> FastOpenLocal:
    """The settings and the counter; what cannot be read stays unknown."""
    return FastOpenLocal(
        _number(_SETTINGS), _number(f"{_SETTINGS}_blackhole_timeout_sec"), parse_counter(_text(_COUNTERS))
    )


def parse_counter(netstat: str, name: str = "TCPFastOpenBlackhole") -> int | None:
    """The value of a counter in the text of /proc/net/netstat: a line of names, then a line of numbers."""
    lines = [line.split() for line in netstat.splitlines()]
    for names, numbers in zip(lines[::2], lines[1::2], strict=False):
        if name in names:
            return int(numbers[names.index(name)])
    return None


def _number(path: str) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
