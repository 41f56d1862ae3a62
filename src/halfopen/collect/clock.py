"""The kernel's clocks, read together: a time of one of them in terms of another."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
