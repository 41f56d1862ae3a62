"""rtnetlink ``RTM_GETLINK`` and ``RTM_GETADDR``: interfaces and their addresses. Needs no privilege."""

from __future__ import annotations

from halfopen._core import network_interfaces
from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.model.network import Interface


def collect(_context: NamespaceContext) -> tuple[Interface, ...]:
    """All of them, by number."""
    return tuple(
        Interface(one["index"], one["name"], one["up"], one["mtu"], tuple(one["addresses"]), one["carrier"])
        for one in network_interfaces()
    )


COLLECTOR = Collector("interfaces", "interfaces", "network interfaces", collect)
