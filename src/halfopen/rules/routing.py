"""Which route a packet to an address takes, as far as a snapshot tells.

Policy rules (``ip rule``) are not in it: with routes in further tables the answer is only likely.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network

    from halfopen.model.network import Interface, Route
    from halfopen.model.snapshot import NetNamespace

#: RT_TABLE_LOCAL, _MAIN and _DEFAULT: the tables of the three rules that every namespace begins with, in their order.
TABLES = (255, 254, 253)
#: Routes that say no.
REFUSING = frozenset({"blackhole", "unreachable", "prohibit", "throw"})


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """The address, an IPv4 address written as IPv6 as IPv4; None when it is a name."""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


def is_own(namespace: NetNamespace, address: str) -> bool:
    """Whether the address is one of this namespace's."""
    parsed = address_of(address)
    if parsed is None:
        return False
    if parsed.is_loopback:
        return True
    own = (text for interface in namespace.interfaces for text in interface.addresses)
    return any(address_of(text.partition("/")[0]) == parsed for text in own)


def route_to(namespace: NetNamespace, address: str) -> Route | None:
    """The route with the longest prefix, in the order of the tables; the smallest metric among equals."""
    parsed = address_of(address)
    if parsed is None:
        return None
    for table in TABLES:
        found = [
            (prefix.prefixlen, -(route.metric or 0), -index, route)
            for index, route in enumerate(namespace.routes or ())
            if route.table == table and (prefix := prefix_of(route, parsed)) is not None and parsed in prefix
        ]
        if found:
            return max(found, key=lambda item: item[:3])[3]
    return None


def has_policy_tables(namespace: NetNamespace) -> bool:
    """Whether there are routes that only policy rules lead to."""
    return any(route.table not in TABLES for route in namespace.routes or ())


def interface_named(namespace: NetNamespace, name: str | None) -> Interface | None:
    """The interface of that name."""
    return next((interface for interface in namespace.interfaces if interface.name == name), None)


def prefix_of(route: Route, address: IPv4Address | IPv6Address) -> IPv4Network | IPv6Network | None:
    """The route's prefix, if it is of the address's family."""
    if route.destination == "default":
        # A default route has no address to tell its family by: its gateway has, and without one it stands for both.
        gateway = address_of(route.gateway) if route.gateway else None
        if gateway is not None and gateway.version != address.version:
            return None
        return ip_network("0.0.0.0/0" if address.version == 4 else "::/0")
    try:
        prefix = ip_network(route.destination, strict=False)
    except ValueError:
        return None
    return prefix if prefix.version == address.version else None
