"""One network namespace as rules see it: counters and their growth, settings, listeners, and how to say where."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.model.finding import Change, Evidence, Subject
from halfopen.rules.growth import Growth, between
from halfopen.rules.listening import Listening, group_listeners

if TYPE_CHECKING:
    from halfopen.model.finding import SubjectKind
    from halfopen.model.snapshot import NetNamespace, Snapshot
    from halfopen.model.sockets import Destination, Listener

_FILES = {"TcpExt": "netstat", "IpExt": "netstat", "MPTcpExt": "netstat", "Ip6": "snmp6", "Icmp6": "snmp6"}
#: Where ``ip netns`` keeps names; only these can be entered with ``ip netns exec``.
_NAMED = "/run/netns/"


@dataclass(frozen=True, slots=True)
class Space:
    """A namespace now, and before when there are two snapshots."""

    now: NetNamespace
    before: NetNamespace | None = None
    interval_s: float | None = None
    uptime_s: float | None = None
    taken_at_ns: int = 0
    listening: tuple[Listening, ...] = ()
    """Each address and port that is listened on, its SO_REUSEPORT members together."""

    @classmethod
    def of(cls, now: NetNamespace, before: NetNamespace | None, interval_s: float | None, snapshot: Snapshot) -> Space:
        """Pair a namespace of ``snapshot`` with itself in an earlier one."""
        listeners = () if now.sockets is None else now.sockets.listeners
        earlier = () if before is None or before.sockets is None else before.sockets.listeners
        listening = group_listeners(listeners, earlier)
        return cls(now, before, interval_s, snapshot.host.uptime_s, snapshot.taken_at_ns, listening)

    @property
    def name(self) -> str:
        """``host``, or the container's, pod's or unit's name."""
        return self.now.name

    # --- counters -----------------------------------------------------------------------------------------------------

    def growth(self, name: str, group: str = "TcpExt") -> Growth | None:
        """How far a counter moved: between the snapshots, else since boot. None when there is no such counter."""
        now = self.now.counter(group, name)
        if self.before is not None:
            return between(self.before.counter(group, name), now, self.interval_s)
        if now is None:
            return None
        if self.now.kind == "host":
            return Growth(now, self.uptime_s, measured=False)
        # Nothing tells the age of another: processes move in and end, and its inodes are made when they are asked for.
        return Growth(now, self.uptime_s, measured=False, since="since the namespace began", at_most=True)

    def grown(self, name: str, group: str = "TcpExt") -> int:
        """The growth as a number that says something of now: 0 when it is unknown or only tells of long ago."""
        growth = self.growth(name, group)
        return growth.count if growth is not None and growth.recent else 0

    def counted(self, name: str, what: str, unit: str | None = None, group: str = "TcpExt") -> Evidence | None:
        """The growth of a counter as evidence; None when it is unknown."""
        growth = self.growth(name, group)
        if growth is None:
            return None
        return Evidence(
            f"{what} {growth.when}", growth.count, unit, f"/proc/net/{_FILES.get(group, 'snmp')} {group} {name}"
        )

    # --- settings -----------------------------------------------------------------------------------------------------

    def sysctl(self, key: str) -> int | None:
        """A setting that is one number, by its full name."""
        return self.now.sysctl_int(key)

    def setting(self, key: str, what: str | None = None) -> Evidence | None:
        """The running value of a setting as evidence."""
        value = self.now.sysctls.get(key)
        return None if value is None else Evidence(what or key, value, None, f"/proc/sys/{key.replace('.', '/')}")

    def change(self, key: str, want: str) -> Change:
        """Set ``key`` to ``want`` in this namespace."""
        text = f"sysctl -w {shlex.quote(f'{key}={want}')}"
        command: str | None = self.command(text)
        if command == text and not self._is_here:
            command = None  # no way in is known
        return Change("sysctl", key, want, self.now.sysctls.get(key), self.now.name, command)

    @property
    def port_range(self) -> tuple[int, int] | None:
        """``ip_local_port_range``, both bounds included."""
        try:
            low, high = map(int, self.now.sysctls["net.ipv4.ip_local_port_range"].split())
        except (KeyError, ValueError):
            return None
        return low, high

    # --- sockets ------------------------------------------------------------------------------------------------------

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """Those this host is the client of."""
        return () if self.now.sockets is None else self.now.sockets.destinations

    def destination_before(self, destination: Destination) -> Destination | None:
        """The same source, address and port in the earlier snapshot."""
        if self.before is None or self.before.sockets is None:
            return None
        key = (destination.source, destination.destination, destination.port)
        others = self.before.sockets.destinations
        return next((other for other in others if (other.source, other.destination, other.port) == key), None)

    def states(self, *names: str) -> int:
        """Sockets in these states."""
        return 0 if self.now.sockets is None else sum(self.now.sockets.states.get(name, 0) for name in names)

    def drops(self, listener: Listener, before: Listener | None) -> Growth | None:
        """SYNs and ACKs dropped at this one socket: between the snapshots, else since its process began."""
        if self.before is not None:
            return between(0 if before is None else before.drops, listener.drops, self.interval_s)
        if listener.drops is None:
            return None
        owner = next((owner for owner in listener.owners if owner.started_at_ns), None)
        if owner is None or owner.started_at_ns is None:
            return Growth(listener.drops, self.uptime_s, measured=False, since="since it listens", at_most=True)
        seconds = max(0.0, (self.taken_at_ns - owner.started_at_ns) / 1e9)
        return Growth(listener.drops, seconds, measured=False, since=f"since {owner.comm} started")

    # --- how to say where ---------------------------------------------------------------------------------------------

    def subject(self, kind: SubjectKind, name: str, **fields: object) -> Subject:
        """A subject in this namespace."""
        return Subject(kind, name, self.now.name, **fields)  # type: ignore[arg-type]  # Subject names and types them

    def whole(self) -> Subject:
        """The namespace itself."""
        return self.subject("namespace", self.now.name)

    def key(self, key: str) -> Subject:
        """A setting of this namespace."""
        return self.subject("setting", key, key=key)

    @property
    def _is_here(self) -> bool:
        return self.now.own or (self.now.kind == "host" and not self.now.pid)

    def command(self, text: str) -> str:
        """``text`` as it has to be typed to run in this namespace."""
        if self._is_here:
            return text
        if self.now.path and self.now.path.startswith(_NAMED) and _can_be_typed(self.now.path):
            return f"ip netns exec {shlex.quote(self.now.path.removeprefix(_NAMED))} {text}"
        if self.now.pid:
            return f"nsenter -t {self.now.pid} -n {text}"
        if self.now.path and _can_be_typed(self.now.path):
            return f"nsenter {shlex.quote(f'--net={self.now.path}')} {text}"
        return text


def _can_be_typed(path: str) -> bool:
    """Whether what is printed of it is it: a backslash may stand for bytes that are no text."""
    return path.isprintable() and "\\" not in path
