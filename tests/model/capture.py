"""What a capture makes of what passes: packets missed, packets twice, packets out of order; and the file of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tests.model.segments import Ends, Segment, Unreachable

if TYPE_CHECKING:
    from random import Random

    from tests.model.world import Passing


@dataclass(frozen=True)
class Tap:
    """How the capture was made."""

    missed: float = 0.0
    """Share of packets that it does not hold."""
    starts_ns: int = 0
    """Packets before this are missing."""
    only: int | None = None
    """It holds the packets of this side alone."""
    disorder_ns: int = 0
    """Packets are stamped up to this much late, and lie in the order of their stamps."""
    twice: str | None = None
    """Each packet is there twice: ``hop`` (one hop later), ``mirror`` (the same), ``ends`` (behind a long way)."""


#: {where each packet is captured again: (hops, nanoseconds later)}.
SECOND_TAP = {"hop": (1, 20_000), "mirror": (0, 20_000), "ends": (7, 30_000_000)}


@dataclass(frozen=True)
class Captured:
    """A packet in the file."""

    sent_ns: int
    """When it passed the tap."""
    time_ns: int
    """What the capture says."""
    what: Segment | Unreachable
    attempt: int
    """Which of the conversations it is of."""
    copy: bool
    ttl: int
    ip_id: int
    frame: int = 0
    """1-based."""


def captured(passing: list[Passing], attempt: int, tap: Tap, random: Random) -> list[Captured]:
    """The packets of one conversation that are in the file."""
    kept = []
    for packet in passing:
        side = packet.what.side if isinstance(packet.what, Segment) else 1 - packet.what.about.side
        ip_id = 0 if isinstance(packet.what, Segment) and packet.what.is_syn_ack else random.randrange(1, 65_536)
        if packet.time_ns < tap.starts_ns or random.random() < tap.missed or tap.only not in {None, side}:
            continue
        time = packet.time_ns + (random.randrange(tap.disorder_ns) if tap.disorder_ns else 0)
        first = Captured(packet.time_ns, time, packet.what, attempt, copy=False, ttl=60 + side, ip_id=ip_id)
        kept.append(first)
        if tap.twice is not None:
            hops, later = SECOND_TAP[tap.twice]
            kept.append(replace(first, time_ns=time + later, ttl=first.ttl - hops, copy=True))
    return kept


def numbered(packets: list[Captured], first: int = 1) -> list[Captured]:
    """In the order of the file."""
    return [replace(packet, frame=n) for n, packet in enumerate(sorted(packets, key=lambda p: p.time_ns), first)]


def frame(packet: Captured, ends: Ends) -> bytes:
    """Its bytes."""
    return ends.frame(packet.what, ttl=packet.ttl, ip_id=packet.ip_id)
