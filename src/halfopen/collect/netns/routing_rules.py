"""rtnetlink ``RTM_GETRULE``: the rules that choose the table in which a route is looked for. Needs no privilege."""

from __future__ import annotations

from halfopen._core import network_rules
from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.errors import NotAvailableError
from halfopen.model.network import RoutingRule

MOST = 1000
"""More are no rules of an administrator any more, and each costs time at every lookup."""


def collect(context: NamespaceContext) -> tuple[RoutingRule, ...] | None:
    """The first ``MOST``; more are a gap. None on a kernel that has no such rules (CONFIG_IP_MULTIPLE_TABLES)."""
    try:
        rules, left_out = network_rules(MOST)
    except NotAvailableError:
        return None
    if left_out:
        context.missing(f"{left_out} routing rules", f"at most {MOST} are kept")
    return tuple(RoutingRule(**rule) for rule in rules)


COLLECTOR = Collector("routing_rules", "routing_rules", "routing rules", collect)
