"""How far a counter moved, and over which time: the one place that knows resets, reboots and «since boot»."""

from __future__ import annotations

from dataclasses import dataclass

from halfopen.model.quantity import duration

#: A counter that is not older than this may tell of what the caller looks at now. An hour is how long people try things
#: before they ask.
RECENT_S = 3600.0


@dataclass(frozen=True, slots=True)
class Growth:
    """``count`` events in ``seconds``."""

    count: int
    seconds: float | None
    """Null: not known, at most since boot."""
    measured: bool
    """Between two snapshots; otherwise since ``since`` began."""
    since: str = "since boot"
    """What began then: ``since boot``, ``since nginx started``."""
    at_most: bool = False
    """``seconds`` is only the most it can be: when it began is not known, but not before the machine."""

    @property
    def recent(self) -> bool:
        """Whether it says something of now: two snapshots, or a counter that has not existed for long."""
        return self.measured or (self.seconds is not None and self.seconds <= RECENT_S)

    @property
    def stood_still(self) -> bool:
        """Whether nothing happened between two snapshots."""
        return self.measured and not self.count

    @property
    def per_s(self) -> float | None:
        """Mean rate."""
        return self.count / self.seconds if self.seconds else None

    @property
    def when(self) -> str:
        """``in 10 s``, ``since boot, 93 d 4 h ago``: how a sentence says it."""
        if self.measured:
            return "in an unknown time" if self.seconds is None else f"in {duration(self.seconds * 1e6)}"
        return (
            self.since if self.seconds is None or self.at_most else f"{self.since}, {duration(self.seconds * 1e6)} ago"
        )


def between(before: int | None, now: int | None, seconds: float | None) -> Growth | None:
    """The growth between two readings; None when one is missing, or the counter went back (it was reset)."""
    if before is None or now is None or now < before:
        return None
    return Growth(now - before, seconds, measured=True)
