"""``/proc/net/snmp``, ``netstat`` and ``snmp6``: the MIB counters of one namespace, IPv4 and IPv6 (facts 84-95).

The first two are pairs of lines, names above values; ``snmp6`` is one name and value a line. A kernel without IPv6 has
no ``snmp6``, and that is no gap.
"""

from __future__ import annotations

import re
from pathlib import Path

from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.text import read_text

Counters = dict[str, dict[str, int]]

_SNMP6 = re.compile(r"(Ip6|Icmp6|UdpLite6|Udp6)(\w+)\s+(\d+)")


def collect(context: NamespaceContext) -> Counters:
    """Read the three files."""
    net = Path(context.net)
    counters = parse_pairs(read_text(net / "snmp")) | parse_pairs(read_text(net / "netstat"))
    try:
        return counters | parse_snmp6(read_text(net / "snmp6"))
    except FileNotFoundError:
        return counters


def parse_pairs(text: str) -> Counters:
    """``TcpExt: A B`` over ``TcpExt: 1 2``. A pair whose halves do not match is left out."""
    lines = text.split("\n")
    found: Counters = {}
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


def parse_snmp6(text: str) -> Counters:
    """``Ip6InReceives  12`` → {``Ip6``: {``InReceives``: 12}}."""
    found: Counters = {}
    for line in text.split("\n"):
        if match := _SNMP6.match(line):
            group, name, number = match.groups()
            found.setdefault(group, {})[name] = int(number)
    return found


COLLECTOR = Collector("counters", "counters", "counters", collect)
