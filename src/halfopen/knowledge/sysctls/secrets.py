"""Keys whose values are secrets: never read from the kernel, never copied out of a file, never printed."""

from __future__ import annotations

from fnmatch import fnmatchcase

SECRET_NAMES = frozenset({"tcp_fastopen_key", "stable_secret", "netdev_rss_key"})
"""Last parts of keys. The third is open to all, but whoever knows it can steer every packet to one processor."""

LEFT_OUT = "(a secret, left out)"
"""Stands in the place of such a value."""


def is_secret(key: str) -> bool:
    """Whether a key, or a pattern of keys as files may have it (``net.ipv4.tcp_fastopen_*``), names a secret."""
    last = key.rpartition(".")[2]
    return any(fnmatchcase(name, last) for name in SECRET_NAMES)


def shown(key: str, value: str) -> str:
    """The value of a key as it may be shown."""
    return LEFT_OUT if is_secret(key) else value
