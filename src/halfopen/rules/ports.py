"""How many ports are left for one destination, how long they last, and whether tcp_tw_reuse helps.

A connect needs a local port that makes its four-tuple new; the count is per source, destination and port, TIME_WAIT
included (facts F50-F53). connect() takes ports of the lower bound's parity first. When those are used up, each
connect() searches the whole range: from half of the range on it is slow, at its end it fails with EADDRNOTAVAIL, and no
counter tells of either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.model.ports import TwReuse
from halfopen.rules.listening import is_loopback
from halfopen.rules.port_forecast import TIME_WAIT_S, forecast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.snapshot import NetNamespace
    from halfopen.model.sockets import Destination
    from halfopen.rules.port_forecast import Forecast
    from halfopen.rules.space import Space

_PREFIX = "net.ipv4."
_RESERVED = "net.ipv4.ip_local_reserved_ports"
_PORT_MAX = 65535


@dataclass(frozen=True, slots=True)
class Headroom:
    """What is left for one destination."""

    destination: Destination
    available: int
    """Ports of ``ip_local_port_range`` that are not reserved."""
    reserved: int
    in_use: int
    """Of those, ports that this destination has taken, TIME_WAIT included."""
    growth_per_s: float | None
    """Ports taken a second, net, between two snapshots; null with one."""
    ahead: Forecast
    tw_reuse: TwReuse

    @property
    def taken(self) -> int:
        """Ports that connect() cannot have now: those in use, without those that tcp_tw_reuse gives back."""
        return min(self.in_use, self.ahead.taken)

    @property
    def left(self) -> int:
        """Ports that it can have."""
        return max(0, self.available - self.taken)

    @property
    def left_to_cliff(self) -> int:
        """Ports until half of the range is taken, and connect() becomes slow."""
        return max(0, self.available // 2 - self.taken)

    @property
    def share(self) -> float:
        """Part of the range that is taken."""
        return self.taken / self.available if self.available else 1.0

    @property
    def closes_per_s(self) -> float:
        """Connections that this host closed first, a second: each stays in TIME_WAIT for 60 s."""
        return self.ahead.closes_per_s

    @property
    def seconds_to_cliff(self) -> float | None:
        """At this rate, until half of the range is taken; null when it ends before."""
        return self.ahead.seconds_to(self.available // 2)

    @property
    def seconds_to_exhaustion(self) -> float | None:
        """At this rate, until none is left; null when it ends before."""
        return self.ahead.seconds_to(self.available)


def headroom(space: Space, destination: Destination) -> Headroom | None:
    """What is left for ``destination``; None when the range of ports is not known."""
    bounds = space.port_range
    if bounds is None or bounds[0] > bounds[1]:
        return None
    reserved = reserved_in(space.now, *bounds)
    available = bounds[1] - bounds[0] + 1 - reserved
    before = space.destination_before(destination)
    interval_s = space.interval_s if space.before is not None else None
    reuse_after_s = reuse_delay_s(space.now) if reuse_is_on(space.now, destination) else TIME_WAIT_S
    growth = None
    if interval_s:
        growth = (destination.in_range - (before.in_range if before else 0)) / interval_s
    return Headroom(
        destination=destination,
        available=available,
        reserved=reserved,
        in_use=destination.in_range,
        growth_per_s=growth,
        ahead=forecast(destination, before, interval_s, reuse_after_s),
        tw_reuse=tw_reuse(space.now, destination),
    )


def reserved_in(namespace: NetNamespace, low: int, high: int) -> int:
    """Ports of ``ip_local_reserved_ports`` between two bounds, both included."""
    return sum(low <= port <= high for port in ports_named(namespace.sysctls.get(_RESERVED, "")))


def is_reserved(namespace: NetNamespace, port: int) -> bool:
    """Whether the kernel never chooses ``port`` by itself."""
    return port in ports_named(namespace.sysctls.get(_RESERVED, ""))


def ports_named(text: str) -> frozenset[int]:
    """The ports of a list of ports and ranges: ``8080,9148-9200``; what is no port is left out."""
    ports: set[int] = set()
    for part in text.split(","):
        first, _, last = (word.strip() for word in part.partition("-"))
        if first.isdigit() and (last or first).isdigit():
            ports.update(range(int(first), min(int(last or first), _PORT_MAX) + 1))
    return frozenset(ports)


def tw_reuse(namespace: NetNamespace, destination: Destination) -> TwReuse:
    """Whether tcp_tw_reuse=1 would give ports back: all of its conditions must hold (facts F37-F40)."""
    value = namespace.sysctl_int(f"{_PREFIX}tcp_tw_reuse")
    if value is None:
        return TwReuse(helps=None, why="tcp_tw_reuse could not be read")
    if destination.time_wait * 2 < destination.in_range:
        return TwReuse(helps=False, why="most ports are held by open connections, not by TIME_WAIT")
    if namespace.sysctl_int(f"{_PREFIX}tcp_timestamps") == 0:
        return TwReuse(helps=False, why="tcp_timestamps is 0, and without timestamps nothing is reused")
    if destination.time_wait_timestamps is False:
        return TwReuse(helps=False, why="the peer does not use timestamps, and without them nothing is reused")
    delay_s = reuse_delay_s(namespace)
    if reuse_is_on(namespace, destination):
        why = f"it is at work: each port can be taken again after {delay_s:g} s"
        return TwReuse(helps=False, why=why, active=True)
    why = "it is 2: loopback only" if value == 2 else "it is 0"
    return TwReuse(helps=True, why=f"{why}; 1 lets connect() take ports that are {delay_s:g} s in TIME_WAIT")


def reuse_is_on(namespace: NetNamespace, destination: Destination) -> bool:
    """Whether connect() takes ports out of TIME_WAIT for this destination (facts F37-F40)."""
    value = namespace.sysctl_int(f"{_PREFIX}tcp_tw_reuse")
    stamped = namespace.sysctl_int(f"{_PREFIX}tcp_timestamps") != 0 and destination.time_wait_timestamps is not False
    return stamped and (value == 1 or (value == 2 and is_loopback(destination.destination)))


def reuse_delay_s(namespace: NetNamespace) -> float:
    """How long a port must have been in TIME_WAIT; a second on kernels without the setting."""
    return (namespace.sysctl_int(f"{_PREFIX}tcp_tw_reuse_delay") or 1000) / 1000


def port_evidence(space: Space, room: Headroom) -> Iterator[Evidence]:
    """The numbers behind a judgement on ports."""
    bounds = space.port_range
    if bounds is not None:
        source = "/proc/sys/net/ipv4/ip_local_port_range"
        yield Evidence("ports of the range", room.available, f"from {bounds[0]} to {bounds[1]}", source)
    if room.reserved:
        yield Evidence("ports reserved in it", room.reserved, "ports", "/proc/sys/net/ipv4/ip_local_reserved_ports")
    yield Evidence("ports taken for this destination", room.in_use, "ports", "sock_diag")
    if room.destination.time_wait:
        yield Evidence("of which in TIME_WAIT", room.destination.time_wait, "ports", "sock_diag")
        yield Evidence("closed by this host", round(room.closes_per_s, 1), "per second", "sock_diag, TIME_WAIT")
    if room.growth_per_s is not None:
        yield Evidence("growth", round(room.growth_per_s, 1), "ports per second", "sock_diag, two snapshots")
    if (setting := space.setting(f"{_PREFIX}tcp_tw_reuse")) is not None:
        yield setting
