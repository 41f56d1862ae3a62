"""Routes of other network namespaces of this host: do they send the SYN on, and its answer back?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Remedy
from halfopen.model.network import ROUTES_MAX
from halfopen.model.quantity import grouped, listed
from halfopen.rules.policy_routing import Flow, text_of
from halfopen.rules.routing import REFUSING, is_own, route_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.cause import Stopped, Verdict
    from halfopen.rules.causes.way import Way
    from halfopen.rules.routing import Lookup
    from halfopen.rules.space import Space


FORWARD = "net.ipv4.ip_forward"


def trouble_on_the_way(space: Space, way: Way) -> LocalCause | None:
    """Of the namespaces that forward, and of the target's: the first that does not send on what it must."""
    if way.established:
        return None
    if way.path.loops:
        return _loop(space, way)
    found = [*_onwards(way), *_backwards(way)]
    return found[0] if found else None


def _loop(space: Space, way: Way) -> LocalCause:
    last = way.path.hops[-1] if way.path.hops else space
    return LocalCause(
        "route",
        "cause",
        f"The routes go round in a circle: network namespace {last.name} sends packets for {way.destination} back.",
        remedy=Remedy(f"Repair its route to {way.destination}: `{last.command(f'ip route get {way.destination}')}`."),
        confirm=last.command(f"ip route get {way.destination}"),
        stops="syn_through",
        netns=None if last is space else last.name,
    )


def _onwards(way: Way) -> Iterator[LocalCause]:
    for hop in way.path.hops:
        if ":" not in way.destination and hop.sysctl(FORWARD) == 0:
            remedy = Remedy("Let it forward.", (hop.change(FORWARD, "1"),))
            yield _cause(hop, f"forwards nothing ({FORWARD} = 0)", remedy, f"sysctl {FORWARD}")
        else:
            lookup = route_to(hop.now, replace(way.flow, forwarded=True))
            if (why := _refusal(hop, lookup)) is not None:
                yield _unrouted(hop, way.destination, why, "syn_through", lookup)


def _backwards(way: Way) -> Iterator[LocalCause]:
    if way.source is None:
        return
    places = way.path.beyond
    for place in reversed(places):
        if is_own(place.now, way.source):
            continue
        lookup = route_to(place.now, Flow(way.source, way.destination, forwarded=place is not way.path.there))
        if (why := _refusal(place, lookup)) is not None:
            yield _unrouted(place, way.source, why, "syn_in" if place is way.path.there else "answer", lookup)


def _refusal(space: Space, lookup: Lookup) -> str | None:
    """«no route», or what its route or a rule says."""
    if space.now.routes is None:
        return None
    rule, found = lookup.refused_by, lookup.route
    if rule is not None:
        return f"the routing rule «{text_of(rule)}» that refuses the way"
    if found is None:
        return "no route"
    return f"only the route {found.destination} of kind {found.kind}" if found.kind in REFUSING else None


def doubt(lookup: Lookup) -> str:
    """«, unless a routing rule leads elsewhere: whether «…» applies is not judged»; nothing where all were judged."""
    if lookup.partial:
        return f", as far as the first {grouped(ROUTES_MAX)} routes tell: the others are not judged"
    if lookup.bound is not None:
        return f", but the socket is bound to {lookup.bound}: which routes lead over that is not judged"
    if not lookup.unjudged:
        return ""
    rules = [f"«{text}»" for text in lookup.unjudged]
    apply = "applies" if len(rules) == 1 else "apply"
    return f", unless a routing rule leads elsewhere: whether {listed(rules)} {apply} is not judged"


def _unrouted(space: Space, address: str, why: str, stops: Stopped, lookup: Lookup) -> LocalCause:
    back = " back" if stops != "syn_through" else ""
    what = "the SYN" if stops != "answer" else "the answer"
    sure: Verdict = "cause" if lookup.is_sure else "possible"
    add = space.command(f"{'ip -6' if ':' in address else 'ip'} route add {address} via GATEWAY")
    return LocalCause(
        "route",
        sure,
        f"Network namespace {space.name} has {why}{back} to {address}: it drops {what}{doubt(lookup)}.",
        remedy=Remedy(f"Give network namespace {space.name} a route to {address}: `{add}`."),
        confirm=space.command(f"ip route get {address}"),
        stops=stops,
        netns=space.name,
        rule="HO606" if stops == "syn_in" else None,
    )


def _cause(space: Space, does: str, remedy: Remedy, look: str) -> LocalCause:
    sentence = f"Network namespace {space.name} {does}."
    return LocalCause("route", "cause", sentence, (), remedy, space.command(look), "syn_through", space.name)
