"""Routes: is there a way to the destination?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.routing import REFUSING, has_policy_tables, interface_named, is_own, route_to

if TYPE_CHECKING:
    from halfopen.model.cause import Verdict
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether there is a way to the destination."""
    if is_own(space.now, way.destination):
        loopback = interface_named(space.now, "lo")
        if loopback is not None and not loopback.up:
            return LocalCause(
                "route",
                "cause",
                "The interface lo is down, and packets to this host's own addresses go through it.",
                remedy=Remedy("Set it up: `ip link set lo up`."),
                confirm=space.command("ip link show lo"),
            )
        return LocalCause(
            "route", "exonerated", f"{way.destination} is an address of this host: packets go through lo."
        )
    if space.now.routes is None:
        return LocalCause("route", "unknown", "Routes could not be read.")
    confirm = space.command(f"ip route get {way.destination}")
    found = route_to(space.now, way.destination)
    sure: Verdict = "possible" if has_policy_tables(space.now) else "cause"
    if found is None:
        return LocalCause("route", sure, f"There is no route to {way.destination}.", confirm=confirm)
    where = f"the route {found.destination}" + (f" by {found.gateway}" if found.gateway else "")
    where += f" over {found.interface}" if found.interface else ""
    evidence = (Evidence("route", where.removeprefix("the route "), None, "rtnetlink"),)
    if found.kind in REFUSING:
        return LocalCause(
            "route", sure, f"The route {found.destination} is of kind {found.kind}.", evidence, confirm=confirm
        )
    interface = interface_named(space.now, found.interface)
    if interface is not None and not interface.up:
        return LocalCause("route", "cause", f"The interface {interface.name} is down.", evidence, confirm=confirm)
    back = _no_way_back(way)
    return back or LocalCause("route", "exonerated", f"There is a route: {where.removeprefix('the route ')}.", evidence)


def _no_way_back(way: Way) -> LocalCause | None:
    """Where the target is another network namespace of this host: it answers only what it has a route to."""
    there = way.there
    if there is None or way.source is None or way.established:
        return None
    if there.now.routes is None or is_own(there.now, way.source):
        return None
    found = route_to(there.now, way.source)
    if found is not None and found.kind not in REFUSING:
        return None
    sure: Verdict = "possible" if has_policy_tables(there.now) else "cause"
    what = "no route" if found is None else f"only the route {found.destination} of kind {found.kind}"
    return LocalCause(
        "route",
        sure,
        f"Network namespace {there.name} has {what} back to {way.source}: it drops the SYN.",
        remedy=Remedy(f"Give network namespace {there.name} a route to {way.source}."),
        confirm=there.command(f"ip route get {way.source}"),
    )
