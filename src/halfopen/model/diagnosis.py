"""What the doctor says of a host: ``halfopen.doctor/1``."""

from __future__ import annotations

from dataclasses import dataclass

from halfopen.model.finding import Finding
from halfopen.model.snapshot import Unavailable

SCHEMA = "halfopen.doctor/1"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Findings, ranked by harm, and what could not be seen."""

    host: str
    """Name of the machine (hostile text)."""
    taken_at_ns: int
    """When the (later) snapshot was taken, nanoseconds since the epoch."""
    kernel: str = ""
    """``uname -r``."""
    interval_s: float | None = None
    """Seconds between the two snapshots; null with one: counters are then judged since boot, with care."""
    uptime_s: float | None = None
    """Seconds since boot, which is how far back counters reach at most."""
    findings: tuple[Finding, ...] = ()
    """The worst first."""
    unavailable: tuple[Unavailable, ...] = ()
    """What could not be seen, and why."""
    namespaces: int = 0
    """Network namespaces that were looked at."""
    listeners: int | None = 0
    """Listening sockets in those whose sockets were read; null: of none of them."""
    sockets: int | None = 0
    """TCP sockets of every state there."""
    examined: bool = True
    """Whether enough of the host was read to judge it; without it no findings mean nothing."""
    unseen: tuple[str, ...] = ()
    """Where connections may fail without a finding: ``counters of the host`` (hostile text)."""
