"""``/proc/net/sockstat`` and ``sockstat6``: how many sockets of each protocol the namespace has (facts 46, 97).

``inuse`` and ``tw`` are the namespace's, ``orphan``, ``alloc`` and ``mem`` are the whole host's.
"""

from __future__ import annotations

from pathlib import Path

from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.text import read_text

Sockstat = dict[str, dict[str, int]]


def collect(context: NamespaceContext) -> Sockstat:
    """Read both files; without IPv6 there is one."""
    net = Path(context.net)
    found = parse_sockstat(read_text(net / "sockstat"))
    try:
        return found | parse_sockstat(read_text(net / "sockstat6"))
    except FileNotFoundError:
        return found


def parse_sockstat(text: str) -> Sockstat:
    """``TCP: inuse 5 orphan 0`` → {``TCP``: {``inuse``: 5, ``orphan``: 0}}."""
    found: Sockstat = {}
    for line in text.split("\n"):
        protocol, _, rest = line.partition(":")
        words = rest.split()
        if protocol and words:
            pairs = zip(words[::2], words[1::2], strict=False)
            found[protocol] = {name: int(number) for name, number in pairs if number.isdecimal()}
    return found


COLLECTOR = Collector("sockstat", "sockstat", "numbers of sockets by protocol", collect)
