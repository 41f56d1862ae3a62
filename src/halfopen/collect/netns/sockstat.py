"""``/proc/net/sockstat`` and ``sockstat6``: how many sockets of each protocol the namespace has (facts 46, 97).

``inuse`` and ``tw`` are the namespace's, ``orphan``, ``alloc`` and ``mem`` are the whole host's.
"""

from __future__ import annotations

from pathlib import Path

from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.text import read_text
from halfopen.knowledge.mib_text import Numbers, parse_sockstat


def collect(context: NamespaceContext) -> Numbers:
    """Read both files; without IPv6 there is one."""
    net = Path(context.net)
    found = parse_sockstat(read_text(net / "sockstat"))
    try:
        return found | parse_sockstat(read_text(net / "sockstat6"))
    except FileNotFoundError:
        return found


COLLECTOR = Collector("sockstat", "sockstat", "numbers of sockets by protocol", collect)
