"""Kernel settings below ``net.`` that matter to the handshake: one row a key, one file a subject.

Each row says what the key really does, since when, with which default, when a change takes effect, and what is
believed of it and false. Only what the list of kernel facts states, or was measured on Linux 6.18.44, is here.
"""

from __future__ import annotations

from halfopen.knowledge.kernel_version import MEASURED, KernelVersion
from halfopen.knowledge.sysctls import closing, netfilter, options, ports, queues, timers
from halfopen.knowledge.sysctls.row import INT_MAX, INT_MIN, MOMENTS, Moment, Scope, Sysctl

__all__ = ["BY_KEY", "INT_MAX", "MOMENTS", "ROWS", "Moment", "Scope", "Sysctl", "accepted", "find", "pattern"]

ROWS: tuple[Sysctl, ...] = (
    *queues.ROWS,
    *timers.ROWS,
    *closing.ROWS,
    *ports.ROWS,
    *options.ROWS,
    *netfilter.ROWS,
)

BY_KEY: dict[str, Sysctl] = {row.key: row for row in ROWS}

#: net.<family>.<conf or neigh>.<interface>.<key>
_PER_INTERFACE = {"conf", "neigh"}


def pattern(key: str) -> str:
    """``net.ipv4.conf.eth0.rp_filter`` → ``net.ipv4.conf.*.rp_filter``; any other key as it is.

    A dot in an interface's name is a ``/`` in a key with dots: ``net.ipv4.conf.eth0/100.rp_filter``.
    """
    parts = key.split(".")
    if len(parts) == 5 and parts[0] == "net" and parts[2] in _PER_INTERFACE:
        parts[3] = "*"
    return ".".join(parts)


def find(key: str) -> Sysctl | None:
    """The row of ``key``, whichever interface it names; None for keys that the table does not have."""
    return BY_KEY.get(pattern(key))


def accepted(row: Sysctl, numbers: tuple[int, ...], version: KernelVersion = MEASURED) -> bool:
    """Whether the kernel stores these numbers; fewer than ``row.count`` leave the others as they are (measured).

    What is not known of ``version`` is as on Linux 6.18.
    """
    if row.accepts is None:
        return True
    low, high = row.accepts
    if row.bounded_since is not None and version < row.bounded_since:
        low, high = INT_MIN, INT_MAX
    return len(numbers) <= row.count and all(low <= number <= high for number in numbers)
