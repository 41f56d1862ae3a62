"""rtnetlink ``RTM_GETRULE``: the rules that choose the table in which a route is looked for. Needs no privilege."""

from __future__ import annotations

from halfopen._core import network_rules
from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.errors import NotAvailableError
from halfopen.model.network import RULES_MAX, RoutingRule


def collect(context: NamespaceContext) -> tuple[RoutingRule, ...] | None:
    """The first ``RULES_MAX``; more are a gap. None on a kernel that has no such rules (CONFIG_IP_MULTIPLE_TABLES)."""
    try:
        rules, left_out = network_rules(RULES_MAX)
    except NotAvailableError:
        return None
    if left_out:
        context.missing(f"{left_out} routing rules", f"at most {RULES_MAX} are kept")
    return tuple(RoutingRule(**rule) for rule in rules)


COLLECTOR = Collector("routing_rules", "routing_rules", "routing rules", collect)
