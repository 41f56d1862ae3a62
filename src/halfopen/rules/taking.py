"""How fast a program takes connections out of an accept queue, where two snapshots tell.

The kernel counts no accept(). It counts connections that came into queues, in the whole namespace (``PassiveOpens``);
less what a queue grew by, that is what was taken, where there is one listener only. Elsewhere the ages tell: a full
queue that was full before, too, and whose oldest connection came in between, has been taken from as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.model.quantity import grouped

if TYPE_CHECKING:
    from halfopen.model.sockets import Listener
    from halfopen.rules.space import Space

#: Fewer may be the time between the readings of a counter and of a queue in one snapshot.
TAKEN_MIN = 5
#: From here on a rate is a whole number.
WHOLE_FROM = 10


@dataclass(frozen=True, slots=True)
class Pace:
    """How many connections a second a program takes."""

    per_s: float
    evidence: Evidence

    def __str__(self) -> str:
        """«about 20 connections a second»."""
        rate = grouped(round(self.per_s)) if self.per_s >= WHOLE_FROM else f"{self.per_s:.2g}"
        return f"about {rate} connections a second"


def pace(space: Space, listener: Listener, before: Listener | None) -> Pace | None:
    """How fast ``listener`` was taken from in the watched time; None when that is not known, or hardly at all."""
    if before is None:
        return None
    return _counted(space, listener, before) or _aged(space, listener, before)


def _counted(space: Space, listener: Listener, before: Listener) -> Pace | None:
    arrived = space.growth("PassiveOpens", "Tcp")
    alone = sum(len(listening.members) for listening in space.listening) == 1
    if not alone or arrived is None or not arrived.measured or not arrived.seconds:
        return None
    taken = arrived.count - (listener.accept_queue - before.accept_queue)
    if taken < TAKEN_MIN:
        return None
    source = "/proc/net/snmp Tcp PassiveOpens, less the growth of the queue"
    evidence = Evidence(f"taken by accept() {arrived.when}", taken, "connections", source)
    return Pace(taken / arrived.seconds, evidence)


def _aged(space: Space, listener: Listener, before: Listener) -> Pace | None:
    queued, interval_s = listener.queued, space.interval_s
    if queued is None or not queued.oldest_ms or interval_s is None or listener.group > 1:
        return None
    # A connection that was reset keeps its place and has no age: then the oldest that has one need not be the first.
    aged = queued.established + queued.close_wait >= listener.accept_queue
    full = min(listener.accept_queue, before.accept_queue) >= max(TAKEN_MIN, listener.accept_queue_limit)
    if not aged or not full or queued.oldest_ms >= interval_s * 1000:
        return None
    rate = listener.accept_queue * 1000 / queued.oldest_ms
    source = "the queue by the age of its oldest connection"
    return Pace(rate, Evidence("taken by accept(), about", round(rate, 1), "per second", source))
