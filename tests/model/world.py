"""Two ends, the way between them, and a tap on it: what passes the tap, when, and what became of both ends."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from tests.model.endpoint import MS, Behaviour, Endpoint, Outside
from tests.model.segments import ACK, SPAN, Segment, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random


@dataclass
class Way:
    """The way from one end to the other. Delays are nanoseconds, losses shares."""

    to_tap_ns: int
    from_tap_ns: int
    lost_before: float = 0.0
    lost_behind: float = 0.0
    unreachable: bool = False
    """A router behind the tap answers every SYN with an ICMP error."""
    silent: bool = False
    """Nothing arrives."""


@dataclass(frozen=True)
class Passing:
    """A packet at the tap."""

    time_ns: int
    what: Segment | Unreachable


@dataclass
class Plan:
    """A conversation before it takes place."""

    behaviours: tuple[Behaviour, Behaviour]
    isns: tuple[int, int]
    ways: tuple[Way, Way]
    """From side 0 and from side 1."""
    opens_ns: tuple[int | None, int | None] = (0, None)
    """When each side calls connect()."""
    forged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Packets of neither end: when, the side that they pretend to come from, flags, how far their numbers lie off."""


@dataclass
class Outcome:
    """What took place."""

    passing: list[Passing]
    ends: tuple[Endpoint, Endpoint]
    forgeries: int = 0


class World:
    """Runs a plan; time is nanoseconds from the start of the capture."""

    def __init__(self, plan: Plan, random: Random, start_ns: int) -> None:
        self._plan, self._random = plan, random
        self.now = start_ns
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.passing: list[Passing] = []
        self.ends = (self._end(0), self._end(1))
        for side, opens in enumerate(plan.opens_ns):
            if opens is not None:
                self.after(opens, self.ends[side].connect)
        for delay, *what in plan.forged:
            self.after(delay, partial(self._forge, *what))

    def _end(self, side: int) -> Endpoint:
        plan = self._plan
        outside = Outside(self._send, self.after, lambda: self.now)
        return Endpoint(side, plan.isns[side], plan.behaviours[side], outside)

    def after(self, delay_ns: int, what: Callable[[], None]) -> None:
        """Does something later."""
        heapq.heappush(self._due, (self.now + delay_ns, next(self._order), what))

    def run(self) -> Outcome:
        """Until nothing more will happen."""
        while self._due:
            self.now, _, what = heapq.heappop(self._due)
            what()
        return Outcome(self.passing, self.ends)

    def _send(self, segment: Segment) -> None:
        way = self._plan.ways[segment.side]
        if self._random.random() >= way.lost_before:
            self.after(way.to_tap_ns, lambda: self._pass(segment))

    def _pass(self, segment: Segment) -> None:
        self.passing.append(Passing(self.now, segment))
        way = self._plan.ways[segment.side]
        if way.unreachable and segment.is_syn:
            self.after(2 * MS, lambda: self._report(Unreachable(segment)))
        if not (way.silent or way.unreachable) and self._random.random() >= way.lost_behind:
            self.after(way.from_tap_ns, lambda: self.ends[1 - segment.side].receive(segment))

    def _forge(self, side: int, flags: int, off: int) -> None:
        """It comes from where its pretended sender is."""
        sender = self.ends[side]
        ack = (sender.rcv + off) % SPAN if flags & ACK else 0
        segment = Segment(side, flags, (sender.nxt + off) % SPAN, ack, forged=True)
        self.passing.append(Passing(self.now, segment))
        self.after(self._plan.ways[segment.side].from_tap_ns, lambda: self.ends[1 - segment.side].receive(segment))

    def _report(self, error: Unreachable) -> None:
        self.passing.append(Passing(self.now, error))
        end = self.ends[error.about.side]
        if end.state == "SYN_SENT" and self._random.random() < 0.7:
            end.fail()
