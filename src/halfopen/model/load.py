"""What a load was, and what came of it: ``halfopen load``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SCHEMA = "halfopen.load/1"

Close = Literal["fin", "rst", "server-first"]
LimitKind = Literal["ports", "descriptors", "cpu", "memory"]


@dataclass(frozen=True, slots=True)
class Latencies:
    """A distribution, in microseconds; None where nothing was measured."""

    count: int = 0
    mean: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    p999: float | None = None
    max: float | None = None
    buckets: tuple[tuple[float, int], ...] = ()
    """(upper bound, count), ascending, empty ones left out; three significant digits."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Connections that did not do what they were to, by what went wrong."""

    phase: Literal["connect", "exchange"]
    """The handshake, or what came after it."""
    name: str
    """``refused``, ``unreachable``, ``timeout``, ``not_sent``, ``failed``; after the handshake ``timeout``,
    ``closed_early``, ``bad_response``, ``failed``."""
    errno: str | None
    """``ECONNREFUSED``…; None for this side's own verdict."""
    count: int


@dataclass(frozen=True, slots=True)
class TimeWait:
    """TIME_WAIT sockets of this namespace, both ends of a loopback connection included."""

    before: int
    """When the load began."""
    created: int | None
    """While it ran (``TcpExt TW``); whoever made them."""
    left: int
    """When it had ended."""


@dataclass(frozen=True, slots=True)
class ClientLimit:
    """What on this machine kept the load down, so that the server is not to blame."""

    kind: LimitKind
    why: str
    """One clause with the numbers."""
    remedy: str
    """What would lift it, one clause."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for."""

    target: str
    """As it was written."""
    address: str
    port: int
    connections: int
    """At the same time at most."""
    total: int | None
    """Of a closed loop; None where only time ends it."""
    rate: int | None
    """Connections a second of an open loop; None is a closed loop."""
    duration_s: float | None
    exchange: Literal["connect", "http", "send"]
    reuse: int
    """HTTP requests on each connection."""
    close: Close
    threads: int
    sources: tuple[str, ...]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class LoadReport:
    """The result."""

    plan: Plan
    interrupted: bool
    """Ctrl-C: this is what there was until then."""
    elapsed_s: float
    attempted: int
    """Connects begun."""
    established: int
    """Handshakes completed."""
    completed: int
    """Connections that did all they were to."""
    closed_by_server: int
    """Of these, those that the server closed first: its FIN or RST had come before this side ended them."""
    reset_by_server: int
    """Of these, those where it was an RST, which leaves no TIME_WAIT."""
    abandoned: int
    """Under way when the load was interrupted."""
    unstarted: int
    """Due in an open loop, and never begun."""
    connections_per_s: float
    """Handshakes completed a second."""
    failures: tuple[Failures, ...]
    statuses: dict[int, int]
    """HTTP status: answers."""
    connect: Latencies
    """The handshake; in an open loop from when it was due."""
    first_byte: Latencies
    """End of the handshake to the first byte of the answer."""
    response: Latencies
    """From the begin of the connect (in an open loop from when it was due) to the end of the first answer."""
    reused_response: Latencies
    """Request to the end of its answer, on a connection that was open already."""
    lag: Latencies
    """How late the connects of an open loop began."""
    own_lag: Latencies
    """How much of that was not for want of room among those that may be open: this side's own delay."""
    kernel_rtt: Latencies
    """The kernel's own round trip of the SYN, of every 64th connection."""
    retransmitted: int
    """Connections whose SYN was sent again."""
    retransmissions: int
    """How often."""
    received_bytes: int
    busiest_thread: float
    """The part of its time that the busiest thread had work, 0 to 1."""
    processor_wait_s: float | None
    """How long the thread that had to wait longest for a processor did; None where the kernel does not tell."""
    client_limit: ClientLimit | None
    time_wait: TimeWait | None
    """None where /proc/net/sockstat cannot be read."""
    kernel_deltas: dict[str, int] = field(default_factory=dict)
    """Counters of this namespace that moved, whoever moved them: {kernel's name: by how much}."""

    @property
    def outcomes(self) -> dict[str, int]:
        """How the handshakes ended: ``established``, and the names of the failures."""
        counts = {"established": self.established} if self.established else {}
        for failure in self.failures:
            if failure.phase == "connect":
                counts[failure.name] = counts.get(failure.name, 0) + failure.count
        return counts

    @property
    def requests(self) -> int:
        """Answers that came."""
        return self.response.count + self.reused_response.count
