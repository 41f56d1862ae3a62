"""Made-up connects over a path with two capture points on it, with the fate of every packet known.

client ── A ── B ── server, each capture with a clock of its own. Packets get lost between A and B only, unless a test
asks for more.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tests.against.pcap import ACK, PSH, SYN, Packet, Segment, make

START_NS = 1_777_636_800_000_000_000
SECOND = 1_000_000_000
MILLI = 1_000_000


@dataclass(frozen=True)
class Path:
    """What the path does."""

    seed: int = 1
    connects: int = 300
    seconds: float = 30.0
    loss: float = 0.1
    way_ns: int = 10 * MILLI
    jitter_ns: int = 3 * MILLI
    behind_ns: int = 2 * MILLI
    before_ns: int = MILLI
    offset_ns: int = 0
    """Clock of B less that of A when the first connect begins."""
    drift_ppm: float = 0.0
    hops: int = 0
    """Routers between the points."""
    ip_ids: bool = True
    timestamps: bool = True
    nat: str = ""
    """Address of the clients behind A, seen at B."""
    reversed_share: float = 0.0
    """Share of connects that the host behind B opens."""


class Clocks(NamedTuple):
    """The true relation: offset of B at the first connect, and its drift."""

    offset_ns: int
    drift_ppm: float

    def ahead_at(self, a_ns: int) -> float:
        """Of B over A, at a time of A."""
        return self.offset_ns + (a_ns - START_NS) * self.drift_ppm / 1e6


@dataclass
class Run:
    """Two captures and the truth about them."""

    a: list[Packet] = field(default_factory=list)
    b: list[Packet] = field(default_factory=list)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    hurt: int = 0
    """Connects that lost a packet."""
    vanished: int = 0
    """Connects of which B saw nothing."""
    clocks: Clocks = field(default_factory=lambda: Clocks(0, 0.0))
    retransmissions: int = 0


#: What a client waits before the next SYN: RFC 6298 section 2.1, doubled each time, as Linux does.
SYN_AT = (0, SECOND, 3 * SECOND)


class _Connect:
    """One connect from its first SYN to its first data."""

    def __init__(self, run: Run, path: Path, number: int, chance: random.Random, *, lossless: bool) -> None:
        self.run, self.path, self.chance = run, path, chance
        self.loss = 0.0 if lossless else path.loss
        backward = chance.random() < path.reversed_share
        near, far = ("10.0.0.7", "10.0.9.9")
        self.client, self.server = (far, near) if backward else (near, far)
        self.at_a = not backward
        self.port, self.isn, self.isn_server = 10_000 + number % 50_000, chance.getrandbits(32), chance.getrandbits(32)
        self.ids = chance.getrandbits(16)
        self.stamp = chance.getrandbits(31)
        self.lost_here = 0
        self.arrived = 0

    def start(self, at: int) -> None:
        for number, wait in enumerate(SYN_AT):
            self.run.retransmissions += number > 0
            arrived = self.send("syn", at + wait, self.isn, 0, SYN)
            answer = None
            if arrived is not None:
                answer = self.send("syn_ack", arrived + self.path.behind_ns, self.isn_server, self.isn + 1, SYN | ACK)
            if answer is not None:
                self.complete(answer + self.path.before_ns)
                break
        self.run.hurt += self.lost_here > 0
        self.run.vanished += self.arrived == 0

    def complete(self, at: int) -> None:
        self.send("ack", at, self.isn + 1, self.isn_server + 1, ACK)
        self.send("data", at + 3 * MILLI, self.isn + 1, self.isn_server + 1, ACK | PSH, length=40)

    def send(self, kind: str, at: int, seq: int, ack: int, flags: int, *, length: int = 0) -> int | None:
        """When it arrives at the other point; ``at`` is when it passes the first one."""
        from_client = kind != "syn_ack"
        self.ids = (self.ids + 1) & 0xFFFF or 1
        ends = (self.client, self.port, self.server, 443)
        if not from_client:
            ends = (ends[2], ends[3], ends[0], ends[1])
        what = Segment(*ends, seq & 0xFFFFFFFF, ack & 0xFFFFFFFF, flags, length)
        # Linux: SYN-ACKs carry the identification 0.
        ip_id = self.ids if self.path.ip_ids and from_client else 0
        stamps = (self.stamp + at // MILLI & 0xFFFFFFFF, 0) if self.path.timestamps else None
        passes = kind == "data" or self.chance.random() >= self.loss
        way = self.path.way_ns + self.chance.randrange(self.path.jitter_ns + 1)
        near_is_a = from_client == self.at_a
        self.see(near_is_a, make(at, what, ip_id=ip_id, timestamps=stamps))
        if not passes:
            self.run.lost[kind, "client" if from_client else "server"] += 1
            self.lost_here += 1
            return None
        self.arrived += from_client
        self.see(not near_is_a, make(at + way, what, ip_id=ip_id, timestamps=stamps, ttl=64 - self.path.hops))
        return at + way

    def see(self, at_a: bool, packet: Packet) -> None:
        if at_a:
            self.run.a.append(packet)
            return
        data = packet.data
        if self.path.nat:
            old, new = (bytes(int(n) for n in address.split(".")) for address in ("10.0.0.7", self.path.nat))
            data = data[:26] + data[26:34].replace(old, new) + data[34:]
        ahead = self.run.clocks.ahead_at(packet.time_ns)
        self.run.b.append(Packet(packet.time_ns + round(ahead), data))


def run(path: Path) -> Run:
    """Connects all along the time; the first and the last lose nothing, so that both captures cover the others."""
    chance = random.Random(path.seed)
    made = Run(clocks=Clocks(path.offset_ns, path.drift_ppm))
    step = int(path.seconds * SECOND / path.connects)
    for number in range(path.connects):
        edge = number == 0
        connect = _Connect(made, path, number, chance, lossless=edge)
        connect.start(START_NS + number * step + (0 if edge else chance.randrange(step)))
    last = _Connect(made, replace(path, loss=0.0), path.connects, chance, lossless=True)
    last.start(START_NS + int(path.seconds * SECOND) + 10 * SECOND)
    return made
