"""What each destination has taken of the local ports: ``halfopen.ports/1``."""

from __future__ import annotations

from dataclasses import dataclass, field

from halfopen.model.owner import Owner
from halfopen.model.snapshot import Unavailable

SCHEMA = "halfopen.ports/1"
DEFAULT_LOW, DEFAULT_HIGH = 32768, 60999
"""The kernel's own ``ip_local_port_range``; its bounds differ in parity, as they should (fact F57)."""
DEFAULT_SIZE = DEFAULT_HIGH - DEFAULT_LOW + 1
SMALL_SIZE = 7000
"""A quarter of it: nobody comes there by reserving a few ports."""


@dataclass(frozen=True, slots=True)
class TwReuse:
    """Whether ``tcp_tw_reuse`` gives ports back for a destination."""

    helps: bool | None
    """True: setting it to 1 would help. False: it would not, or it helps already. Null: not known."""
    why: str
    """One clause: the condition that fails, or what it would do."""
    active: bool = False
    """It is at work already."""


@dataclass(frozen=True, slots=True)
class PortUse:
    """The connections from one local address to one remote address and port, and what is left for more."""

    netns: str
    source: str
    destination: str
    port: int
    in_use: int
    """Local ports of the range that it has taken, TIME_WAIT included."""
    time_wait: int
    """Sockets in TIME_WAIT."""
    range_size: int
    """Ports of ``ip_local_port_range`` that are not reserved."""
    taken: int
    """Of ``in_use``, ports that connect() cannot have now: without those that tcp_tw_reuse gives back."""
    headroom: int
    """Ports until none is left, and connect() fails with EADDRNOTAVAIL."""
    headroom_to_cliff: int
    """Ports until half of the range is taken, and connect() becomes slow."""
    tw_reuse: TwReuse
    rate_per_s: float | None = None
    """Ports taken a second: closed in the last 10 s, plus the growth of open ones where two snapshots tell it."""
    growth_per_s: float | None = None
    """Net of those that came back, between two snapshots; null with one."""
    plateau: float | None = None
    """Ports taken at this rate once as many come back; null when there is no end to it."""
    seconds_to_cliff: float | None = None
    """At this rate; null when it never comes to that, or the rate is not known."""
    seconds_to_exhaustion: float | None = None
    """At this rate; null when it never comes to that, or the rate is not known."""
    states: dict[str, int] = field(default_factory=dict)
    """{state: sockets}."""
    bound: int = 0
    """Ports bound before connect() without IP_BIND_ADDRESS_NO_PORT."""
    owners: tuple[Owner, ...] = ()

    @property
    def share(self) -> float:
        """Part of the range that is taken."""
        return self.taken / self.range_size if self.range_size else 1.0


@dataclass(frozen=True, slots=True)
class PortSpace:
    """What holds for every destination of one network namespace."""

    name: str
    inode: int
    port_range: tuple[int, int] | None = None
    """``ip_local_port_range``, both included."""
    reserved_ports: str | None = None
    tcp_tw_reuse: int | None = None
    tcp_timestamps: int | None = None
    destinations: int | None = 0
    """How many it has connections to; null: its sockets were not read."""
    destinations_left_out: int = 0
    """How many more, each with fewer sockets."""


@dataclass(frozen=True, slots=True)
class Ports:
    """The whole object."""

    host: str
    taken_at_ns: int
    schema: str = SCHEMA
    interval_s: float | None = None
    """Between the two snapshots; null with one."""
    netns: tuple[PortSpace, ...] = ()
    destinations: tuple[PortUse, ...] = ()
    """Those that have taken the largest part of their range first."""
    unavailable: tuple[Unavailable, ...] = ()
    unseen: tuple[str, ...] = ()
    """Where ports may be taken that are not told of: ``sockets of the host`` (hostile text)."""

    @property
    def examined(self) -> bool:
        """Whether the sockets of any namespace were read."""
        return any(space.destinations is not None for space in self.netns)
