"""This host's own word on Fast Open, from /proc of this network namespace. No privilege needed."""

from __future__ import annotations

from pathlib import Path

from halfopen.model.probe import FastOpenLocal

_SETTING = "/proc/sys/net/ipv4/tcp_fastopen"


def read_fast_open() -> FastOpenLocal:
    """The setting; where it cannot be read it stays unknown."""
    try:
        text = Path(_SETTING).read_text(encoding="ascii").strip()
    except OSError:
        return FastOpenLocal()
    return FastOpenLocal(int(text) if text.isdigit() else None)
