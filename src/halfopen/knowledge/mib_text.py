"""The text of ``/proc/net/snmp``, ``netstat``, ``sockstat``: names and numbers in groups (facts 46, 84-95)."""

from __future__ import annotations

Numbers = dict[str, dict[str, int]]
"""{group or protocol: {name: value}}."""


def parse_pairs(text: str) -> Numbers:
    """``TcpExt: A B`` over ``TcpExt: 1 2``. A pair whose halves do not match is left out."""
    lines = text.split("\n")
    found: Numbers = {}
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        group, _, keys = names.partition(":")
        same, _, numbers = values.partition(":")
        if group and group == same:
            found[group] = _numbered(keys.split(), numbers.split())
    return found


def _numbered(names: list[str], numbers: list[str]) -> dict[str, int]:
    return {name: int(number) for name, number in zip(names, numbers, strict=False) if _is_int(number)}


def _is_int(text: str) -> bool:
    return text.removeprefix("-").isdecimal()  # Tcp MaxConn is -1


def parse_sockstat(text: str) -> Numbers:
    """``TCP: inuse 5 orphan 0`` → {``TCP``: {``inuse``: 5, ``orphan``: 0}}."""
    found: Numbers = {}
    for line in text.split("\n"):
        protocol, _, rest = line.partition(":")
        words = rest.split()
        if protocol and words:
            pairs = zip(words[::2], words[1::2], strict=False)
            found[protocol] = {name: int(number) for name, number in pairs if number.isdecimal()}
    return found
