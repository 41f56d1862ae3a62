"""What is read inside each network namespace, one collector a file; ``NETNS`` is the only list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.collect.netns import (
    conntrack,
    counters,
    interfaces,
    packet_filter,
    routes,
    routing_rules,
    sockets,
    sockstat,
    synproxy,
    sysctls,
    tcp_metrics,
)

if TYPE_CHECKING:
    from halfopen.collect.framework import Collector, NamespaceContext

#: In this order: counters close to each other in time, and to the sockets that they explain.
NETNS: tuple[Collector[NamespaceContext], ...] = (
    sockets.COLLECTOR,
    counters.COLLECTOR,
    sockstat.COLLECTOR,
    synproxy.COLLECTOR,
    conntrack.COLLECTOR,
    sysctls.COLLECTOR,
    interfaces.COLLECTOR,
    routes.COLLECTOR,
    routing_rules.COLLECTOR,
    tcp_metrics.COLLECTOR,
    packet_filter.COLLECTOR,
)
