"""Through which network namespaces of this host a SYN goes, as far as its routes and addresses tell.

An address is followed only where one namespace alone has it, and only where packets arrived: private addresses repeat
themselves, in other networks and in other containers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from halfopen.rules.routing import REFUSING, address_of, interface_named, is_own, route_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halfopen.rules.context import Context
    from halfopen.rules.policy_routing import Flow
    from halfopen.rules.space import Space


@dataclass(frozen=True, slots=True)
class Path:
    """From one namespace towards an address."""

    hops: tuple[Space, ...] = ()
    """Namespaces that forward, in their order."""
    there: Space | None = None
    """The namespace that has the address; None: another host, as far as is known."""
    loops: bool = False
    """The last hop sends it back to one before."""

    @property
    def beyond(self) -> tuple[Space, ...]:
        """The hops and the namespace that has the address: all that it comes into."""
        return self.hops if self.there is None else (*self.hops, self.there)


def path(context: Context, start: Space, flow: Flow, packets: int) -> Path:
    """The way from ``start``.

    Args:
        context: both snapshots.
        start: where the connect was made.
        flow: what is sent; addresses, no names.
        packets: so many were sent: where fewer arrived, it is not the way.
    """
    if not _gets_out(start, flow):
        return Path()
    hops: list[Space] = []
    here, destination = start, flow.destination
    while not is_own(here.now, destination):
        following = _next(context, here, replace(flow, forwarded=here is not start), packets)
        if following is None:
            # Behind a bridge or a hop that is not seen, the address itself may still be this host's.
            return Path(tuple(hops), _only(_others(context, here, destination, packets)))
        if following is start or following in hops:
            return Path(tuple(hops), loops=True)
        if is_own(following.now, destination):
            return Path(tuple(hops), following)
        hops.append(following)
        here = following
    return Path(tuple(hops), here)


def _gets_out(start: Space, flow: Flow) -> bool:
    """Whether the link that it leaves by leads anywhere, as far as is known: if not, what arrived is not this."""
    found = route_to(start.now, flow).route
    link = None if found is None else interface_named(start.now, found.interface)
    return is_own(start.now, flow.destination) or link is None or (link.up and link.carrier is not False)


def _next(context: Context, here: Space, flow: Flow, packets: int) -> Space | None:
    """The namespace that has the gateway, or the destination where it is on a link."""
    found = route_to(here.now, flow)
    if found.route is None or not found.is_sure or found.route.kind in REFUSING:
        return None
    gateway = found.route.gateway or flow.destination
    return _only(_others(context, here, gateway, packets))


def _others(context: Context, here: Space, address: str, packets: int) -> Iterable[Space]:
    """Other namespaces that have the address, and had packets."""
    parsed = address_of(address)
    if parsed is None or parsed.is_loopback:
        return ()
    return (
        space
        for space in context.spaces
        if space is not here and is_own(space.now, address) and arrived(space, packets, v6=parsed.version == 6)
    )


def _only(spaces: Iterable[Space]) -> Space | None:
    found = list(spaces)
    return found[0] if len(found) == 1 else None


def arrived(space: Space, packets: int, *, v6: bool) -> bool:
    """Whether so many IP packets came into a namespace between the snapshots."""
    if space.before is None or packets < 1:
        return False
    group = "Ip6" if v6 else "Ip"
    now, before = space.now.counter(group, "InReceives"), space.before.counter(group, "InReceives")
    return now is not None and before is not None and now - before >= packets
