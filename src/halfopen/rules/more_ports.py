"""What gives more local ports for one destination: a wider range, connections that stay open, tcp_tw_reuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.model.ports import DEFAULT_HIGH, DEFAULT_LOW, DEFAULT_SIZE
from halfopen.model.quantity import grouped, listed
from halfopen.rules.ports import is_reserved

if TYPE_CHECKING:
    from halfopen.rules.ports import Headroom
    from halfopen.rules.space import Space

RANGE_KEY = "net.ipv4.ip_local_port_range"
DEFAULT_RANGE = f"{DEFAULT_LOW} {DEFAULT_HIGH}"

_TW_REUSE = "net.ipv4.tcp_tw_reuse"
_UNPRIVILEGED = "net.ipv4.ip_unprivileged_port_start"
_STEPS = (
    "Keep connections open and use them again (keep-alive, a pool): that needs no port at all.",
    "Or let the other side close first, so that TIME_WAIT is there.",
    "Or connect from more source addresses, with IP_BIND_ADDRESS_NO_PORT.",
)


def more_ports(space: Space, room: Headroom) -> Remedy:
    """What gives more ports for the destination of ``room``, the quickest first."""
    reuse = (space.change(_TW_REUSE, "1"),) if room.tw_reuse.helps and room.destination.time_wait else ()
    size = _narrow(space)
    if size is not None:
        also = "; let ports in TIME_WAIT be taken again after a second, too" if reuse else ""
        return Remedy(
            f"Widen the range of local ports: it has {grouped(size)}, the default {grouped(DEFAULT_SIZE)}{also}.",
            (space.change(RANGE_KEY, DEFAULT_RANGE), *reuse),
            (
                *_services(space),
                "Leave the range as it is where a firewall or a NAT lets only these ports through.",
                *_STEPS,
            ),
        )
    if reuse:
        return Remedy(
            "Set tcp_tw_reuse to 1: ports in TIME_WAIT can then be taken again after a second.", reuse, _STEPS
        )
    return Remedy("Reuse connections instead of opening new ones.", (), _STEPS)


def _narrow(space: Space) -> int | None:
    """Ports of a range that is narrower than the default; None where the default is no gain, or would be refused."""
    bounds = space.port_range
    if bounds is None or (space.sysctl(_UNPRIVILEGED) or 0) > DEFAULT_LOW:
        return None
    size = bounds[1] - bounds[0] + 1
    return size if size < DEFAULT_SIZE else None


def _services(space: Space) -> tuple[str, ...]:
    """Listeners on ports that the wider range would newly take: they may not find them free after a restart."""
    low, high = space.port_range or (0, 0)
    found = {
        one.port for one in space.listening if DEFAULT_LOW <= one.port <= DEFAULT_HIGH and not low <= one.port <= high
    }
    ports = [str(port) for port in sorted(found) if not is_reserved(space.now, port)]
    if not ports:
        return ()
    return (f"First reserve what listens in the wider range, in ip_local_reserved_ports: {listed(ports, 8)}.",)
