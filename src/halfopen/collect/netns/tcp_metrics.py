"""generic netlink ``tcp_metrics``: what the kernel remembers of peers (facts 7, 61, 108). Needs no privilege.

Fast Open cookies are not read; that there is one is.
"""

from __future__ import annotations

from halfopen._core import tcp_metrics
from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.model.network import TcpMetric

MOST = 1000


def collect(_context: NamespaceContext) -> tuple[TcpMetric, ...]:
    """The youngest ``MOST``: what is older is less likely to matter, and is no gap."""
    metrics, _left_out = tcp_metrics(MOST)
    return tuple(TcpMetric(**metric) for metric in metrics)


COLLECTOR = Collector("tcp_metrics", "tcp_metrics", "what the kernel remembers of peers", collect)
