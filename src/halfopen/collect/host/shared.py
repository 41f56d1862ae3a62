"""What the kernel keeps once for all namespaces: ``/proc/net/sockstat`` (in part) and ``/proc/net/softnet_stat``."""

from __future__ import annotations

from halfopen.collect.framework import Collector, Context
from halfopen.collect.text import read_text
from halfopen.knowledge.mib_text import parse_sockstat
from halfopen.model.host import Global, Softnet

_CPU_COLUMN = 12
"""Of softnet_stat since Linux 5.10 (net-procfs.c); before that, rows were those of the processors online."""


def collect(context: Context) -> Global:
    """Read both; they say the same in every namespace."""
    net = context.host.roots.proc / "self/net"
    tcp = parse_sockstat(read_text(net / "sockstat")).get("TCP", {})
    return Global(
        orphans=tcp.get("orphan"),
        allocated=tcp.get("alloc"),
        memory_pages=tcp.get("mem"),
        softnet=parse_softnet(read_text(net / "softnet_stat")),
    )


def parse_softnet(text: str) -> tuple[Softnet, ...]:
    """A row a processor, hexadecimal: processed, dropped, time_squeeze, …, and its number."""
    rows = []
    for position, line in enumerate(text.split("\n")):
        numbers = [int(word, 16) for word in line.split()]
        if len(numbers) >= 3:
            cpu = numbers[_CPU_COLUMN] if len(numbers) > _CPU_COLUMN else position
            rows.append(Softnet(cpu, *numbers[:3]))
    return tuple(rows)


COLLECTOR = Collector("shared", "shared", "counters of the whole host", collect)
