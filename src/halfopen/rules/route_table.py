"""One table of routes: the longest prefix that holds an address, found in an index.

A namespace may have ten thousand routes, and a rule may ask for a thousand peers: looked through one by one, that takes
a minute.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_network
from typing import TYPE_CHECKING

from halfopen.rules.identity import Same

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from halfopen.model.network import Route, RoutingRule
    from halfopen.model.snapshot import NetNamespace


def in_table(namespace: NetNamespace, rule: RoutingRule, address: IPv4Address | IPv6Address) -> list[Route]:
    """What a rule finds in its table, equal next hops in their order; nothing where the next rule is asked."""
    number, bits = int(address), address.max_prefixlen
    for length, places in _index(Same(namespace.routes or ())).get((rule.table, address.version), {}).items():
        found = places.get(number >> (bits - length))
        if found is not None:
            least = min(route.metric or 0 for route in found)
            routes = [route for route in found if (route.metric or 0) == least]
            suppressed = rule.suppress_prefix_length is not None and length <= rule.suppress_prefix_length
            return [] if suppressed or routes[0].kind == "throw" else routes
    return []


_Index = dict[tuple[int, int], dict[int, dict[int, list["Route"]]]]
"""{(table, version): {length of the prefix, the longest first: {its bits: routes}}}"""


@lru_cache(maxsize=16)
def _index(routes: Same[tuple[Route, ...]]) -> _Index:
    """Made once for all that is looked up in a namespace: a rule may ask for a thousand peers."""
    index: _Index = {}
    for route in routes.value:
        prefix = _prefix_of(route)
        if prefix is not None:
            by_length = index.setdefault((route.table, prefix.version), {})
            bits = int(prefix.network_address) >> (prefix.max_prefixlen - prefix.prefixlen)
            by_length.setdefault(prefix.prefixlen, {}).setdefault(bits, []).append(route)
    return {place: dict(sorted(by_length.items(), reverse=True)) for place, by_length in index.items()}


def _prefix_of(route: Route) -> IPv4Network | IPv6Network | None:
    # Of a default route the gateway does not tell the family: routes of IPv4 may go by one of IPv6.
    everything = "0.0.0.0/0" if route.family == 4 else "::/0"
    try:
        return ip_network(everything if route.destination == "default" else route.destination, strict=False)
    except ValueError:
        return None
