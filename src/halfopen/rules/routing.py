"""Which route a packet takes, as far as a snapshot tells: by the rules (``policy_routing``) and tables of routes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import TYPE_CHECKING

from halfopen.model.network import ROUTES_MAX, RULES_MAX, RoutingRule
from halfopen.rules.identity import Same
from halfopen.rules.policy_routing import TABLES, Flow, applies, text_of
from halfopen.rules.route_table import in_table

if TYPE_CHECKING:
    from ipaddress import IPv4Interface, IPv6Interface

    from halfopen.model.network import Interface, Route
    from halfopen.model.snapshot import NetNamespace

#: Routes, and rules, that say no.
REFUSING = frozenset({"blackhole", "unreachable", "prohibit"})


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
    if parsed.is_loopback or parsed.is_unspecified:  # connect() to 0.0.0.0 is one to 127.0.0.1
        return True
    return parsed in _addresses(Same(namespace.interfaces))


@lru_cache(maxsize=16)
def _addresses(interfaces: Same[tuple[Interface, ...]]) -> frozenset[IPv4Address | IPv6Address]:
    """Of all interfaces: every destination of a host is looked for among them."""
    texts = (text.partition("/")[0] for interface in interfaces.value for text in interface.addresses)
    return frozenset(parsed for text in texts if (parsed := address_of(text)) is not None)


@dataclass(frozen=True, slots=True)
class Lookup:
    """Where a packet goes, as the rules and tables say."""

    route: Route | None = None
    """None: there is no route, or a rule refuses it."""
    refused_by: RoutingRule | None = None
    """The rule that says no."""
    unjudged: tuple[str, ...] = ()
    """Rules before that which may lead elsewhere, as text: whether they apply is not judged."""
    several: bool = False
    """It is one of several next hops that share the work."""
    partial: bool = False
    """There may be more routes than a snapshot keeps."""
    bound: str | None = None
    """The socket is bound to this interface, and this route does not lead over it: which one does is not judged."""

    @property
    def is_sure(self) -> bool:
        """Whether nothing that was not looked at may lead elsewhere."""
        return not self.unjudged and not self.partial and self.bound is None


def route_to(namespace: NetNamespace, flow: Flow) -> Lookup:
    """The route with the longest prefix, table by table; the smallest metric among equals.

    connect() looks for one of IPv4 twice: for its source address, and with it (``ip_route_connect``). Of IPv6 it looks
    with the source address only where it found nothing without (``ip6_dst_lookup_tail``).
    """
    parsed = address_of(flow.destination)
    if parsed is None:
        return Lookup()
    flow = replace(flow, destination=str(parsed), source=_source(flow.source))
    partial = len(namespace.routes or ()) >= ROUTES_MAX
    found = _looked_up(namespace, flow, parsed)
    elsewhere = found.refused_by is None and (found.route is None or found.route.interface != flow.interface)
    bound = flow.interface if elsewhere and not flow.forwarded else None
    return replace(found, partial=partial, bound=bound)


def _looked_up(namespace: NetNamespace, flow: Flow, parsed: IPv4Address | IPv6Address) -> Lookup:
    if flow.forwarded:
        return _lookup(namespace, flow, parsed)
    first = _lookup(namespace, replace(flow, source=None), parsed)
    if parsed.version == 6:
        leads = first.route is not None and first.route.kind not in REFUSING
        return first if leads or flow.source is None else _lookup(namespace, flow, parsed)
    chosen = flow.source or (None if first.route is None else _chosen(namespace, first.route))
    return first if chosen is None else _lookup(namespace, replace(flow, source=chosen), parsed)


def _chosen(namespace: NetNamespace, route: Route) -> str | None:
    """The source address that the kernel takes for a route: its own, or the interface's that is next to the gateway."""
    interface = interface_named(namespace, route.interface)
    if route.source is not None or interface is None:
        return route.source
    own = [one for text in interface.addresses if (one := network_of(text)) is not None and one.version == 4]
    gateway = None if route.gateway is None else address_of(route.gateway)
    near = [one for one in own if gateway is not None and gateway in one.network] or own
    return str(near[0].ip) if near else None


def network_of(text: str) -> IPv4Interface | IPv6Interface | None:
    """``192.0.2.1/24`` of an interface, with its network; None for what is none, as a snapshot may say anything."""
    try:
        return ip_interface(text)
    except ValueError:
        return None


def _lookup(namespace: NetNamespace, flow: Flow, parsed: IPv4Address | IPv6Address) -> Lookup:
    unjudged: list[str] = []
    skip_to = 0
    rules = _rules(namespace, parsed.version)
    for rule in rules:
        if rule.priority < skip_to or (verdict := applies(rule, flow, namespace)) is False:
            continue
        if verdict is None:
            if rule.action == "goto" or rule.action in REFUSING or in_table(namespace, rule, parsed):
                unjudged.append(text_of(rule))
        elif rule.action == "goto":
            # Without its target it does nothing: «unresolved».
            skip_to = next((one.priority for one in rules if one.priority == rule.goto), skip_to)
        elif rule.action in REFUSING:
            return Lookup(None, rule, tuple(unjudged))
        elif rule.action == "lookup" and (found := in_table(namespace, rule, parsed)):
            return Lookup(found[0], None, tuple(unjudged), several=len(found) > 1)
    return Lookup(None, None, (*unjudged, *_unread(namespace)))


def _source(text: str | None) -> str | None:
    parsed = None if text is None else address_of(text)
    return None if parsed is None or parsed.is_unspecified else str(parsed)


def _rules(namespace: NetNamespace, version: int) -> tuple[RoutingRule, ...]:
    """Those of a family; those that every namespace begins with where they were not read."""
    if namespace.routing_rules is None:
        return tuple(RoutingRule(priority, table=table) for priority, table in enumerate(TABLES))
    return tuple(rule for rule in namespace.routing_rules if rule.family == version)


def _unread(namespace: NetNamespace) -> tuple[str, ...]:
    """What may lead to a route after all, in a snapshot without rules, or with the first of many."""
    if namespace.routing_rules is None:
        more = any(route.table not in TABLES for route in namespace.routes or ())
    else:
        more = len(namespace.routing_rules) >= RULES_MAX
    return ("routing rules that were not read",) if more else ()


def leaves_by(namespace: NetNamespace, flow: Flow) -> str | None:
    """The interface that a packet leaves by; None where that is not certain."""
    found = route_to(namespace, flow)
    return None if not found.is_sure or found.several or found.route is None else found.route.interface


def comes_by(namespace: NetNamespace) -> str | None:
    """The interface that what does not go over ``lo`` must come by: the only one."""
    names = [interface.name for interface in namespace.interfaces if interface.up and interface.name != "lo"]
    return names[0] if len(names) == 1 else None


def interface_named(namespace: NetNamespace, name: str | None) -> Interface | None:
    """The interface of that name."""
    return next((interface for interface in namespace.interfaces if interface.name == name), None)
