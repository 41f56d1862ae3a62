"""What collectors of every namespace share: the roots, the clock at the begin, facts of processes read once."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfopen.collect.modules import has_module
from halfopen.collect.process_table import ProcessTable
from halfopen.collect.roots import Roots

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True, slots=True)
class Clock:
    """The kernel's clocks at one moment, so that times of one can be told in another."""

    realtime_ns: int
    monotonic_ns: int
    boottime_ns: int

    @classmethod
    def now(cls) -> Self:
        """Read them, one after the other: within a microsecond of each other."""
        return cls(
            time.time_ns(), time.clock_gettime_ns(time.CLOCK_MONOTONIC), time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        )

    def from_monotonic(self, monotonic_ns: int) -> int:
        """Nanoseconds since the epoch of a time on the monotonic clock."""
        return self.realtime_ns - self.monotonic_ns + monotonic_ns

    def from_boottime(self, boottime_ns: int) -> int:
        """Nanoseconds since the epoch of a time since boot, suspension included."""
        return self.realtime_ns - self.boottime_ns + boottime_ns


@dataclass(slots=True)
class HostWide:
    """Shared by all collectors of one snapshot, in all threads."""

    roots: Roots = field(default_factory=Roots)
    clock: Clock = field(default_factory=Clock.now)
    many: bool = False
    """There are so many namespaces that of most only those settings are read that rules look at."""
    processes: ProcessTable = field(init=False)
    _modules: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The table of processes looks below the same roots."""
        self.processes = ProcessTable(self.roots, self.clock)

    def has_module(self, name: str) -> bool:
        """Whether the kernel has a module now; looked up once."""
        # Two threads may both look: they find the same.
        if name not in self._modules:
            self._modules[name] = has_module(self.roots, name)
        return self._modules[name]
