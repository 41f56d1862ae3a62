"""rtnetlink: routes of every table, with the attributes that change how connections are made (RTM_GETROUTE).

Needs no privilege. A full Internet table has a million routes: at most ``MOST`` are kept, and the rest is counted.
"""

from __future__ import annotations

from halfopen._core import network_routes
from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.model.network import Route

MOST = 10_000


def collect(context: NamespaceContext) -> tuple[Route, ...]:
    """The first ``MOST``; more are a gap."""
    routes, left_out = network_routes(MOST)
    if left_out:
        context.missing(f"{left_out} routes", f"at most {MOST} are kept")
    return tuple(Route(**route) for route in routes)


COLLECTOR = Collector("routes", "routes", "routes", collect)
