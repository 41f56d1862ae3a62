"""The counters of this network namespace, before and after something that we did.

Source: ``/proc/net/snmp``, ``/proc/net/netstat`` and ``/proc/net/sockstat`` of the reader's own namespace; no
privilege.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from halfopen.knowledge.counters import BY_NAME
from halfopen.knowledge.mib_text import parse_pairs, parse_sockstat

#: Of these groups every counter that moved is told, of the others those that ``knowledge.counters`` explains.
_WHOLE_GROUPS = frozenset({"Tcp", "TcpExt"})
#: No counters but present values and constants (RFC 4022).
_GAUGES = frozenset({"RtoAlgorithm", "RtoMin", "RtoMax", "MaxConn", "CurrEstab", "TCPMemoryPressuresChrono"})


@dataclass(frozen=True, slots=True)
class Counters:
    """One reading."""

    values: dict[str, int]
    """{kernel's name: value}."""
    time_wait: int | None
    """TIME_WAIT sockets now (and orphaned FIN_WAIT_2 that are kept as such); None where unknown."""


def read_counters() -> Counters:
    """The counters now; a file that is not there gives none."""
    groups = parse_pairs(_text("snmp")) | parse_pairs(_text("netstat"))
    return Counters(_chosen(groups), parse_sockstat(_text("sockstat")).get("TCP", {}).get("tw"))


def moved(before: Counters, after: Counters) -> dict[str, int]:
    """By how much each counter grew, those that did not left out."""
    grown = {name: value - before.values.get(name, 0) for name, value in after.values.items()}
    return {name: delta for name, delta in grown.items() if delta}


def _chosen(groups: dict[str, dict[str, int]]) -> dict[str, int]:
    return {
        name: value
        for group, values in groups.items()
        for name, value in values.items()
        if name not in _GAUGES and (group in _WHOLE_GROUPS or (name in BY_NAME and BY_NAME[name].group == group))
    }


def _text(name: str) -> str:
    try:
        # Not /proc/net, which is that of the main thread.
        return Path("/proc/thread-self/net", name).read_text(encoding="ascii")
    except OSError:
        return ""
