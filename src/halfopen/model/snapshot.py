"""All that the host said at one moment, in every network namespace, as plain data: ``halfopen.snapshot/1``.

Rules see nothing else. A snapshot of another machine, read from a file, is as good as one of this machine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from halfopen.model.host import Global, Host, LogLine, SettingFile
from halfopen.model.network import Conntrack, Interface, PacketFilter, Route, RoutingRule, TcpMetric
from halfopen.model.sockets import Sockets

SCHEMA = "halfopen.snapshot/1"

NamespaceKind = Literal["host", "container", "pod", "unit", "named", "other"]


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Something that could not be seen, and why: a fact like any other."""

    what: str
    """``owners of sockets``, ``nftables rules``."""
    why: str
    """One clause: ``CAP_NET_ADMIN is missing``."""
    netns: str | None = None
    """In which namespace; null: on the whole host."""
    blinds: str | None = None
    """Where connections may now fail unseen, which «nothing is failing» does not speak of: ``packet filter rules``."""


@dataclass(frozen=True, slots=True)
class CollectorRun:
    """How one collector fared; the framework measures it."""

    name: str
    duration_us: float
    success: bool
    netns: str | None = None


@dataclass(frozen=True, slots=True)
class NetNamespace:
    """One network namespace. What could not be read is null or empty, and named in ``Snapshot.unavailable``."""

    name: str
    """``host`` for that of process 1 (the reader's, where it cannot be known); else container, pod, unit or name."""
    inode: int
    """``/proc/<pid>/ns/net``; 0 when unknown."""
    kind: NamespaceKind = "host"
    pid: int | None = None
    """A process that lives in it: ``nsenter -t PID -n``."""
    path: str | None = None
    """Where it is mounted, or what keeps it where no process lives in it: ``/run/netns/blue``, ``/proc/123/fd/5``."""
    own: bool = False
    """The reader's own namespace."""
    sysctls: dict[str, str] = field(default_factory=dict)
    """{``net.ipv4.tcp_syncookies``: ``1``}: keys below net., blanks folded to one space, secrets left out."""
    counters: dict[str, dict[str, int]] = field(default_factory=dict)
    """{``TcpExt``: {``ListenOverflows``: n}}: /proc/net/snmp, snmp6 (as ``Ip6``, ``Icmp6``) and netstat."""
    sockstat: dict[str, dict[str, int]] = field(default_factory=dict)
    """{``TCP``: {``inuse``: n, ``tw``: n…}}: /proc/net/sockstat and sockstat6."""
    synproxy: dict[str, int] = field(default_factory=dict)
    """Sum over processors of /proc/net/stat/synproxy."""
    sockets: Sockets | None = None
    interfaces: tuple[Interface, ...] = ()
    routes: tuple[Route, ...] | None = None
    """Of every table, at most 10 000; empty: there is none; null: they were not read."""
    routing_rules: tuple[RoutingRule, ...] | None = None
    """In the order in which they are tried, at most 1000; null: they were not read, or this kernel has none."""
    tcp_metrics: tuple[TcpMetric, ...] = ()
    """At most 1000."""
    packet_filter: PacketFilter | None = None
    conntrack: Conntrack | None = None

    def counter(self, group: str, name: str) -> int | None:
        """``counter("TcpExt", "ListenDrops")``, or None on a kernel that has no such counter."""
        return self.counters.get(group, {}).get(name)

    def sysctl_int(self, key: str) -> int | None:
        """The value of a key that is one number; None when it is absent or is not."""
        try:
            return int(self.sysctls[key])
        except (KeyError, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole document."""

    taken_at_ns: int
    """Nanoseconds since the epoch."""
    monotonic_ns: int
    """The kernel's monotonic clock at that moment: the interval between two snapshots of one boot."""
    host: Host
    schema: str = SCHEMA
    halfopen: str = ""
    """Version of the program that wrote it."""
    netns: tuple[NetNamespace, ...] = ()
    """The host's first."""
    shared: Global = field(default_factory=Global)
    setting_files: tuple[SettingFile, ...] = ()
    """Of every directory of sysctl.d, and /etc/sysctl.conf."""
    kernel_log: tuple[LogLine, ...] = ()
    """At most 500 lines, the last ones."""
    unavailable: tuple[Unavailable, ...] = ()
    collectors: tuple[CollectorRun, ...] = ()
