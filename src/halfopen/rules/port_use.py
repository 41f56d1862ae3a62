"""What every destination has taken of the local ports, as ``halfopen ports`` tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.ports import Ports, PortSpace, PortUse
from halfopen.rules.context import Context
from halfopen.rules.coverage import unseen
from halfopen.rules.destinations import rooms

if TYPE_CHECKING:
    from halfopen.model.snapshot import Snapshot
    from halfopen.rules.ports import Headroom
    from halfopen.rules.rule import Need
    from halfopen.rules.space import Space

NEEDED: tuple[Need, ...] = ("sockets", "sysctls")


def port_use(now: Snapshot, before: Snapshot | None = None) -> Ports:
    """Every destination of every namespace; ``before`` is an earlier snapshot of the same boot."""
    context = Context.of(now, before)
    found = [_use(space, room) for space, room, _ in rooms(context)]
    return Ports(
        host=now.host.name,
        taken_at_ns=now.taken_at_ns,
        interval_s=context.interval_s,
        netns=tuple(_space(space) for space in context.spaces),
        destinations=tuple(sorted(found, key=lambda use: (-use.share, use.destination, use.port, use.source))),
        unavailable=now.unavailable,
        unseen=unseen(context, NEEDED),
    )


def _space(space: Space) -> PortSpace:
    sockets = space.now.sockets
    return PortSpace(
        name=space.name,
        inode=space.now.inode,
        port_range=space.port_range,
        reserved_ports=space.now.sysctls.get("net.ipv4.ip_local_reserved_ports"),
        tcp_tw_reuse=space.sysctl("net.ipv4.tcp_tw_reuse"),
        tcp_timestamps=space.sysctl("net.ipv4.tcp_timestamps"),
        destinations=None if sockets is None else len(space.destinations),
        destinations_left_out=0 if sockets is None else sockets.destinations_left_out,
    )


def _use(space: Space, room: Headroom) -> PortUse:
    one = room.destination
    return PortUse(
        netns=space.name,
        source=one.source,
        destination=one.destination,
        port=one.port,
        in_use=room.in_use,
        time_wait=one.time_wait,
        range_size=room.available,
        taken=room.taken,
        headroom=room.left,
        headroom_to_cliff=room.left_to_cliff,
        tw_reuse=room.tw_reuse,
        rate_per_s=room.ahead.rate_per_s,
        growth_per_s=room.growth_per_s,
        plateau=room.ahead.plateau,
        seconds_to_cliff=room.seconds_to_cliff,
        seconds_to_exhaustion=room.seconds_to_exhaustion,
        states=one.states,
        bound=one.bound,
        owners=one.owners,
    )
