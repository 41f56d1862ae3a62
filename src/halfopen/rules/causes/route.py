"""Routes: is there a way to the destination?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.causes.way_through import trouble_on_the_way
from halfopen.rules.routing import REFUSING, address_of, has_policy_tables, interface_named, is_own, route_to

if TYPE_CHECKING:
    from halfopen.model.cause import Verdict
    from halfopen.model.network import Route
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether there is a way to the destination, and one back."""
    if is_own(space.now, way.destination):
        return _to_itself(space, way)
    if space.now.routes is None:
        return LocalCause("route", "unknown", "Routes could not be read.")
    found = route_to(space.now, way.destination)
    refused = _refused(space, way, found)
    if refused is not None or found is None:
        return refused
    where = f"the route {found.destination}" + (f" by {found.gateway}" if found.gateway else "")
    where += f" over {found.interface}" if found.interface else ""
    evidence = (Evidence("route", where.removeprefix("the route "), None, "rtnetlink"),)
    return (
        _no_address(space, way)
        or trouble_on_the_way(space, way)
        or LocalCause("route", "exonerated", f"There is a route: {where.removeprefix('the route ')}.", evidence)
    )


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


def _refused(space: Space, way: Way, found: Route | None) -> LocalCause | None:
    """No route, one that says no, or one over an interface that is down."""
    sure: Verdict = "possible" if has_policy_tables(space.now) or way.established else "cause"
    confirm = space.command(f"ip route get {way.destination}")
    if found is None:
        return LocalCause(
            "route", sure, f"There is no route to {way.destination}.", (), _route_there(space, way), confirm
        )
    evidence = (Evidence("route", found.destination, None, "rtnetlink"),)
    if found.kind in REFUSING:
        sentence = f"The route {found.destination} is of kind {found.kind}."
        family = "ip -6" if ":" in way.destination else "ip"
        delete = space.command(f"{family} route del {found.kind} {found.destination}")
        remedy = Remedy(f"If the target is meant to be reached, take the route away: `{delete}`.")
        return LocalCause("route", sure, sentence, evidence, remedy, confirm)
    interface = interface_named(space.now, found.interface)
    if interface is not None and not interface.up:
        remedy = _set_up(space, interface.name)
        return LocalCause("route", "cause", f"The interface {interface.name} is down.", evidence, remedy, confirm)
    return None


def _route_there(space: Space, way: Way) -> Remedy:
    """The interface that is down and took its routes with it, or a route."""
    down = [one.name for one in space.now.interfaces if not one.up and one.name != "lo" and one.addresses]
    if len(down) == 1:
        return _set_up(space, down[0])
    if down:
        return Remedy(f"Set up the interface that leads there: {', '.join(down)} are down.")
    family = "ip -6" if ":" in way.destination else "ip"
    return Remedy(f"Add a route to it: `{space.command(f'{family} route add {way.destination} via GATEWAY')}`.")


def _set_up(space: Space, name: str) -> Remedy:
    return Remedy(f"Set up {name}, which is down: `{space.command(f'ip link set {name} up')}`.")


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
