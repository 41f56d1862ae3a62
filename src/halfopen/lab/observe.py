"""What the kernel says inside a host of the lab: counters, their deltas, sockets by state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from halfopen import _core
from halfopen.knowledge.mib_text import parse_pairs
from halfopen.lab.traffic import PORT

if TYPE_CHECKING:
    from halfopen.lab.namespace import Namespace

#: Of the namespace of the thread that reads them.
_NET = Path("/proc/thread-self/net")
_GROUPS = ("Ip", "IpExt", "Tcp", "TcpExt")


def read_counters() -> dict[str, int]:
    """{name: value} of the TCP and IP counters of the calling thread's namespace, under the kernel's own names."""
    groups = parse_pairs((_NET / "snmp").read_text(encoding="ascii"))
    groups |= parse_pairs((_NET / "netstat").read_text(encoding="ascii"))
    return {name: value for group in _GROUPS for name, value in groups.get(group, {}).items()}


@dataclass(frozen=True, slots=True)
class Moment:
    """The counters of a host at one moment, to count from."""

    host: Namespace
    counters: dict[str, int]

    @classmethod
    def of(cls, host: Namespace) -> Moment:
        """Now."""
        return cls(host, host.run(read_counters))

    def since(self, name: str) -> int:
        """How far a counter has moved since then. KeyError on a kernel that has no such counter."""
        return self.host.run(read_counters)[name] - self.counters[name]

    def moved(self) -> dict[str, int]:
        """Every counter that has moved."""
        now = self.host.run(read_counters)
        return {name: now[name] - before for name, before in self.counters.items() if now[name] != before}


#: ``ip_local_port_range`` of a new namespace.
PORT_RANGE = (32768, 60999)


def census(host: Namespace) -> dict[str, Any]:
    """Every TCP socket of the host, grouped: ``_core.tcp_census``."""
    return dict(host.run(lambda: _core.tcp_census(port_range=PORT_RANGE)))


def listener_row(host: Namespace, port: int = PORT) -> dict[str, Any]:
    """What sock_diag says of the first listener on ``port``: the names of ``halfopen.model.sockets.Listener``.

    Raises:
        LookupError: nobody listens there.
    """
    for row in census(host)["listeners"]:
        if row["port"] == port:
            return dict(row)
    raise LookupError(f"nobody listens on port {port} of {host.name}")


def states(host: Namespace) -> dict[str, int]:
    """{state: sockets} of the host, TIME_WAIT and SYN_RECV included."""
    return dict(census(host)["states"])
