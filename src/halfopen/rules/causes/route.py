"""Routes: is there a way to the destination?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import listed
from halfopen.rules.causes.way_through import doubt, trouble_on_the_way
from halfopen.rules.policy_routing import MAIN, text_of
from halfopen.rules.routing import REFUSING, address_of, interface_named, is_own, network_of, route_to

if TYPE_CHECKING:
    from halfopen.model.cause import Verdict
    from halfopen.model.network import RoutingRule
    from halfopen.rules.causes.way import Way
    from halfopen.rules.routing import Lookup
    from halfopen.rules.space import Space


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether there is a way to the destination, and one back."""
    if is_own(space.now, way.destination):
        return _to_itself(space, way)
    if space.now.routes is None:
        return LocalCause("route", "unknown", "Routes could not be read.")
    found = route_to(space.now, way.flow)
    if way.came_through:
        return _there(found) or LocalCause("route", "exonerated", "There is a route: every SYN was answered.")
    return _refused(space, way, found) or _no_address(space, way) or trouble_on_the_way(space, way) or _there(found)


def _there(found: Lookup) -> LocalCause | None:
    """The route, if no rule that is not judged may lead to another."""
    route = found.route
    if route is None:
        return None
    where = route.destination + (f" by {route.gateway}" if route.gateway else "")
    where += f" over {route.interface}" if route.interface else ""
    evidence = (Evidence("route", where, None, "rtnetlink"),)
    verdict: Verdict = "exonerated" if found.is_sure else "unknown"
    return LocalCause("route", verdict, f"There is a route: {where}{doubt(found)}.", evidence)


def _to_itself(space: Space, way: Way) -> LocalCause:
    loopback = interface_named(space.now, "lo")
    if loopback is not None and not loopback.up:
        return LocalCause(
            "route",
            "cause",
            "The interface lo is down, and packets to this host's own addresses go through it.",
            remedy=Remedy("Set it up: `ip link set lo up`."),
            confirm=space.command("ip link show lo"),
        )
    return LocalCause("route", "exonerated", f"{way.destination} is an address of this host: packets go through lo.")


def _refused(space: Space, way: Way, lookup: Lookup) -> LocalCause | None:
    """No route, one that says no, a rule that does, or an interface that is down or has no carrier."""
    sure: Verdict = "cause" if lookup.is_sure and not lookup.several and not way.established else "possible"
    confirm = space.command(f"ip route get {way.destination}")
    found, but = lookup.route, doubt(lookup)
    if lookup.refused_by is not None:
        return _refused_by(space, way, lookup.refused_by, sure, but)
    if found is None:
        sentence = f"There is no route to {way.destination}{but}."
        return LocalCause("route", sure, sentence, (), _route_there(space, way), confirm)
    evidence = (Evidence("route", found.destination, None, "rtnetlink"),)
    if found.kind in REFUSING:
        sentence = f"The route {found.destination} is of kind {found.kind}{but}."
        family = "ip -6" if ":" in way.destination else "ip"
        table = "" if found.table == MAIN else f" table {found.table}"
        delete = space.command(f"{family} route del {found.kind} {found.destination}{table}")
        remedy = Remedy(f"If the target is meant to be reached, take the route away: `{delete}`.")
        return LocalCause("route", sure, sentence, evidence, remedy, confirm)
    interface = interface_named(space.now, found.interface)
    if interface is not None and not interface.up:
        remedy = _set_up(space, interface.name)
        return LocalCause("route", sure, f"The interface {interface.name} is down{but}.", evidence, remedy, confirm)
    if interface is not None and interface.carrier is False:
        sentence = f"The interface {interface.name} has no carrier: what leaves by it is thrown away{but}."
        look = space.command(f"ip link show {shlex.quote(interface.name)}")
        return LocalCause("route", sure, sentence, evidence, _PLUG, look, "syn_out")
    return None


_PLUG = Remedy("See to the other end of that link: the cable, the switch, the peer of a veth, the program of a tun.")


def _refused_by(space: Space, way: Way, rule: RoutingRule, sure: Verdict, but: str) -> LocalCause:
    family = "ip -6" if ":" in way.destination else "ip"
    sentence = f"The routing rule «{text_of(rule)}» (priority {rule.priority}) says no{but}."
    delete = space.command(f"{family} rule del pref {rule.priority}")
    remedy = Remedy(f"If the target is meant to be reached, take the rule away: `{delete}`.")
    return LocalCause("route", sure, sentence, (), remedy, space.command(f"{family} rule"))


def _route_there(space: Space, way: Way) -> Remedy:
    """The interface that is down and took its routes with it, or a route."""
    down = [one for one in space.now.interfaces if not one.up and one.name != "lo" and one.addresses]
    target = address_of(way.destination)
    networks = {one.name: [found.network for text in one.addresses if (found := network_of(text))] for one in down}
    near = [one for one in down if any(target in network for network in networks[one.name])]
    likely = near or ([] if _is_linked(space) else down)
    if len(likely) == 1:
        return _set_up(space, likely[0].name)
    family = "ip -6" if ":" in way.destination else "ip"
    add = f"Add a route to it: `{space.command(f'{family} route add {way.destination} via GATEWAY')}`."
    if not down:
        return Remedy(add)
    are = "is" if len(down) == 1 else "are"
    return Remedy(f"Set up the interface that leads there, if it is one of these: {listed([one.name for one in down])} "
                  f"{are} down.", (), (add,))  # fmt: skip


def _is_linked(space: Space) -> bool:
    """Whether an interface that is up leads anywhere."""
    return any(one.up and one.name != "lo" for one in space.now.interfaces)


def _set_up(space: Space, name: str) -> Remedy:
    return Remedy(f"Set up {name}, which is down: `{space.command(f'ip link set {shlex.quote(name)} up')}`.")


def _no_address(space: Space, way: Way) -> LocalCause | None:
    """A host without an address of that family sends from its loopback address: nobody can answer that."""
    source = None if way.source is None else address_of(way.source)
    if source is None or way.established or not (source.is_loopback or source.is_unspecified):
        return None
    version = "IPv6" if ":" in way.destination else "IPv4"
    return LocalCause(
        "route",
        "cause",
        f"No interface has an {version} address: the SYN leaves from {way.source}, and no answer to that can come.",
        remedy=Remedy(f"Give the interface that leads there an {version} address, or use the other family."),
        confirm=space.command("ip addr"),
    )
