"""When a destination will have taken so many ports, from what it has taken and how fast. Pure arithmetic.

A port that this host closed first stays in TIME_WAIT for 60 s and then comes back. So a steady rate of connections does
not fill the range for ever: it levels off at the open ones and a minute's worth of closed ones. How old the sockets in
TIME_WAIT are tells both the rate of the last seconds and when each of them will go.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from halfopen.model.sockets import Destination

#: ``TCP_TIMEWAIT_LEN``, a constant of the kernel.
TIME_WAIT_S = 60.0
STEP_S = 10.0
"""Of ``Destination.time_wait_ages``."""


class Forecast(Protocol):
    """How ports are taken for one destination, and how that goes on."""

    @property
    def taken(self) -> int:
        """Ports that connect() cannot have now."""

    @property
    def closes_per_s(self) -> float:
        """Connections that this host closed first, a second: each stays in TIME_WAIT for 60 s."""

    @property
    def rate_per_s(self) -> float | None:
        """Ports taken a second, whether they come back or not; null when it cannot be told."""

    @property
    def plateau(self) -> float | None:
        """Ports that will be taken once as many come back as are taken; null when there is no end to it."""

    def seconds_to(self, ports: int) -> float | None:
        """Until so many are taken; 0 when they are, null when it never comes to that at this rate."""


@dataclass(frozen=True, slots=True)
class ByAges:
    """From the ages of the sockets in TIME_WAIT: needs one snapshot, and a second one for the open connections."""

    opened: float
    """Ports that are not in TIME_WAIT."""
    opening_per_s: float
    """Growth of those; negative when they become fewer."""
    waiting: tuple[float, ...]
    """Ports in TIME_WAIT by age, in steps of 10 s, the youngest first."""
    reuse_after_s: float = TIME_WAIT_S
    """When connect() may take a port out of TIME_WAIT: earlier where tcp_tw_reuse is at work."""

    @property
    def taken(self) -> int:
        """What is open, and what waits for longer still."""
        return round(self.at(0.0))

    @property
    def closes_per_s(self) -> float:
        """Those of the last 10 s."""
        return self.waiting[0] / STEP_S

    @property
    def rate_per_s(self) -> float:
        """What was closed, and what the open ones grew by."""
        return max(0.0, self.closes_per_s + self.opening_per_s)

    @property
    def plateau(self) -> float | None:
        """A minute from now, unless the open ones become more."""
        return None if self.opening_per_s > 0 else self.opened + self.closes_per_s * self.reuse_after_s

    def at(self, seconds: float) -> float:
        """Ports taken after so many seconds of this rate."""
        fresh = self.closes_per_s * min(seconds, self.reuse_after_s)
        still = sum(
            number * _part_before(self.reuse_after_s - seconds, step) for step, number in enumerate(self.waiting)
        )
        return max(0.0, self.opened + self.opening_per_s * seconds) + fresh + still

    def seconds_to(self, ports: int) -> float | None:
        """Between two of the steps, the number of ports changes evenly."""
        last, start = self.at(0.0), 0.0
        if last >= ports:
            return 0.0
        while start < self.reuse_after_s:
            end = min(start + STEP_S, self.reuse_after_s)
            now = self.at(end)
            if now >= ports:
                return start + (end - start) * (ports - last) / (now - last)
            last, start = now, end
        return start + (ports - last) / self.opening_per_s if self.opening_per_s > 0 else None


def _part_before(seconds: float, step: int) -> float:
    """The part of an age's step that is younger than so many seconds."""
    return max(0.0, min(1.0, seconds / STEP_S - step))


@dataclass(frozen=True, slots=True)
class ByGrowth:
    """Without ages: from what two snapshots differ by; with one, nothing is known of what comes.

    As many leave TIME_WAIT now as entered it a minute ago. So entries / 60 s is the rate when it is steady, and the
    growth is the rate while the first minute lasts; the larger of the two is never too much.
    """

    taken: int
    waiting: int
    rate_per_s: float | None
    """The growth, net."""
    waiting_growth_per_s: float = 0.0

    @property
    def closes_per_s(self) -> float:
        """Over the last minute, or between the snapshots."""
        return max(self.waiting / TIME_WAIT_S, self.waiting_growth_per_s)

    @property
    def plateau(self) -> float | None:
        """Open connections may become more without an end; TIME_WAIT ends by itself."""
        if self.rate_per_s is not None and self.rate_per_s > self.closes_per_s:
            return None
        return max(float(self.taken), self.taken - self.waiting + self.closes_per_s * TIME_WAIT_S)

    def seconds_to(self, ports: int) -> float | None:
        """At the growth, up to the plateau."""
        if self.taken >= ports:
            return 0.0
        if not self.rate_per_s or self.rate_per_s <= 0 or (self.plateau is not None and self.plateau < ports):
            return None
        return (ports - self.taken) / self.rate_per_s


def forecast(
    now: Destination, before: Destination | None, interval_s: float | None, reuse_after_s: float = TIME_WAIT_S
) -> Forecast:
    """What can be said of a destination.

    Args:
        now: as it is.
        before: as it was; None when there was none of its sockets, or only one snapshot.
        interval_s: between the two; None with one. The open connections are then taken to stay as many as they are.
        reuse_after_s: when connect() takes ports out of TIME_WAIT.
    """
    if now.time_wait_ages:
        grown = (_open(now) - (_open(before) if before else 0)) / interval_s if interval_s else 0.0
        return ByAges(_open(now), grown, tuple(map(float, now.time_wait_ages)), reuse_after_s)
    if not interval_s:
        return ByGrowth(now.in_range, now.time_wait, None)
    earlier, waited = (before.in_range, before.time_wait) if before else (0, 0)
    return ByGrowth(
        now.in_range, now.time_wait, (now.in_range - earlier) / interval_s, (now.time_wait - waited) / interval_s
    )


def _open(destination: Destination) -> int:
    return destination.in_range - sum(destination.time_wait_ages)
