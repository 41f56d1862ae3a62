"""rtnetlink: routes of every table, with the attributes that change how connections are made (RTM_GETROUTE).

Needs no privilege. A full Internet table has a million routes: ``ROUTES_MAX`` are kept, the rest is counted.
"""

from __future__ import annotations

from halfopen._core import network_routes
from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.model.network import ROUTES_MAX, Route


def collect(context: NamespaceContext) -> tuple[Route, ...]:
    """The first ``ROUTES_MAX``; more are a gap."""
    routes, left_out = network_routes(ROUTES_MAX)
    if left_out:
        context.missing(f"{left_out} routes", f"at most {ROUTES_MAX} are kept")
    return tuple(Route(**route) for route in routes)


COLLECTOR = Collector("routes", "routes", "routes", collect)
