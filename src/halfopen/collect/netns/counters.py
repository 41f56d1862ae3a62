"""``/proc/net/snmp``, ``netstat`` and ``snmp6``: the MIB counters of one namespace, IPv4 and IPv6 (facts 84-95).

The first two are pairs of lines, names above values; ``snmp6`` is one name and value a line. A kernel without IPv6 has
no ``snmp6``, and that is no gap.
"""

from __future__ import annotations

import re
from pathlib import Path

from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.text import read_text
from halfopen.knowledge.mib_text import Numbers, parse_pairs

_SNMP6 = re.compile(r"(Ip6|Icmp6|UdpLite6|Udp6)(\w+)\s+(\d+)")


def collect(context: NamespaceContext) -> Numbers:
    """Read the three files."""
    net = Path(context.net)
    counters = parse_pairs(read_text(net / "snmp")) | parse_pairs(read_text(net / "netstat"))
    try:
        return counters | parse_snmp6(read_text(net / "snmp6"))
    except FileNotFoundError:
        return counters


def parse_snmp6(text: str) -> Numbers:
    """``Ip6InReceives  12`` → {``Ip6``: {``InReceives``: 12}}."""
    found: Numbers = {}
    for line in text.split("\n"):
        if match := _SNMP6.match(line):
            group, name, number = match.groups()
            found.setdefault(group, {})[name] = int(number)
    return found


COLLECTOR = Collector("counters", "counters", "counters", collect)
