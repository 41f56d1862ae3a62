"""What a record has to hold, by the words of the record's description and no others.

Everything that was captured of one attempt is there at once, with what no observer has: who made each packet, and which
of them are copies. So nothing is guessed, there are no states and no timers; each field is a search in a short list.
A field that the packets leave open is absent from the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tests.model.segments import ACK, CWR, ECE, FIN, RST, SPAN, SYN, Segment, Unreachable, ahead

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.model.capture import Captured

#: docs/limitations.md: what comes later behind the end of a connection (or of an attempt) is counted as late. Three
#: times as late as what came before it is not: timers double.
KEPT_NS = {True: 500_000_000, False: 8_000_000_000}
#: Segments that the capture swapped lie this close together: a SYN further behind its SYN-ACK is a later transmission.
DISORDER_NS = 50_000_000


@dataclass(frozen=True)
class Seen:
    """A segment in the capture."""

    frame: int
    time_ns: int
    what: Segment


class Attempt:
    """What was captured of one attempt, in the order of the file."""

    def __init__(self, packets: list[Captured]) -> None:
        self.packets = packets
        self.segments = [
            Seen(p.frame, p.time_ns, p.what)
            for p in packets
            if isinstance(p.what, Segment) and not p.copy and not p.what.forged
        ]
        self.errors = [p for p in packets if isinstance(p.what, Unreachable) and not p.copy]

    def sent(self, side: int) -> list[Seen]:
        """What one side sent."""
        return [seen for seen in self.segments if seen.what.side == side]

    @cached_property
    def client(self) -> int | None:
        """The side that sent the first SYN; where there is none, the receiver of the SYN-ACK."""
        for seen in self.segments:
            if seen.what.is_syn:
                return seen.what.side
        for seen in self.segments:
            if seen.what.is_syn_ack:
                return 1 - seen.what.side
        return None

    @property
    def server(self) -> int:
        """The other one."""
        return 1 - (self.client or 0)

    @cached_property
    def syns(self) -> list[Seen]:
        """Transmissions of the client's SYN."""
        return [seen for seen in self.segments if seen.what.is_syn and seen.what.side == self.client]

    @cached_property
    def syn_acks(self) -> list[Seen]:
        """The server's, those that acknowledge something else with them."""
        return [seen for seen in self.segments if seen.what.is_syn_ack and seen.what.side == self.server]

    @cached_property
    def first(self) -> int | None:
        """Sequence number of the client's first byte, when a SYN was captured."""
        return (self.syns[0].what.seq + 1) % SPAN if self.syns else None

    def _fits(self, seen: Seen) -> bool:
        if self.first is None:
            return True
        return 0 <= ahead(self.first, seen.what.ack) <= self.syns[0].what.length

    @cached_property
    def answers(self) -> list[Seen]:
        """SYN-ACKs that acknowledge the SYN. Where the client chose one of several numbers, those with this one."""
        fitting = [seen for seen in self.syn_acks if self._fits(seen)]
        chosen = {(s.what.ack - 1) % SPAN for s in self.acks}
        return [seen for seen in fitting if seen.what.seq in chosen] or fitting

    @cached_property
    def acks(self) -> list[Seen]:
        """What only a client that had the SYN-ACK sends."""
        sent = [s for s in self.sent(self.client or 0) if s.what.has(ACK) and not s.what.flags & (SYN | RST)]
        return sent if self.simultaneous else [s for s in sent if not self._is_guess(s)]

    def _is_guess(self, ack: Seen) -> bool:
        """Whether it acknowledges, as the first one, more than the server was ever seen to send."""
        before = [s for s in self.syn_acks if s.frame < ack.frame and self._fits(s)]
        if not before:
            return False
        sent = [s for s in self.sent(self.server) if not s.what.has(RST)]
        return all(ahead(s.what.end, ack.what.ack) > 0 for s in sent)

    @cached_property
    def simultaneous(self) -> bool:
        """Both sides sent a SYN."""
        return any(seen.what.is_syn and seen.what.side == self.server for seen in self.segments)

    @cached_property
    def partial(self) -> bool:
        """The capture begins behind the first SYN."""
        if not self.syns:
            return True
        early = [s for s in self.syn_acks if s.time_ns < self.syns[0].time_ns - DISORDER_NS]
        return bool(early)

    @cached_property
    def completed(self) -> bool:
        """The server's SYN is acknowledged, or the server acknowledges what comes behind that acknowledgment."""
        return bool(self.acks) or (self.simultaneous and self._both_acked()) or bool(self.data_acks)

    def _both_acked(self) -> bool:
        return all(any(s.what.has(ACK) and not s.what.has(RST) for s in self.sent(side)) for side in (0, 1))

    @cached_property
    def data_acks(self) -> list[Seen]:
        """The server's acknowledgments of what the client sends behind the final ACK."""
        if not self.answers:
            return []
        beyond = (self.answers[0].what.ack + (self.syns[0].what.length if self.syns else 0)) % SPAN
        sent = [s for s in self.sent(self.server) if s.what.has(ACK) and not s.what.flags & (SYN | RST)]
        return [s for s in sent if ahead(beyond, s.what.ack) > 0]

    @cached_property
    def resets(self) -> list[Seen]:
        """RSTs of either side, but those that answer what the other never sent."""
        forged = [p.what for p in self.packets if isinstance(p.what, Segment) and p.what.forged]
        strangers = {(self.client, s.what.ack) for s in self.syn_acks if not self._fits(s)}
        strangers |= {(1 - what.side, what.ack) for what in forged if what.has(ACK)}
        return [s for s in self.segments if s.what.has(RST) and (s.what.side, s.what.seq) not in strangers]

    @cached_property
    def refused_wrong(self) -> bool:
        """The client refused one."""
        return len(self.resets) < sum(s.what.has(RST) for s in self.segments)

    @property
    def isn_server(self) -> int | None:
        """That of the SYN-ACK, or of the server's own SYN."""
        own = (s.what.seq for s in self.segments if s.what.is_syn and s.what.side == self.server)
        return self.answers[0].what.seq if self.answers else next(own, None)

    # ---- the fields

    def outcome(self) -> str:
        """How it ended."""
        if self.partial:
            return "partial"
        if self.completed:
            return "established"
        resets = [s for s in self.resets if not self._is_unheard(s)]
        if resets:
            by = resets[0]
            if by.what.side == self.client:
                return "reset_by_client"
            before = [s for s in self.answers if s.frame < by.frame]
            return "reset_by_server" if before or self.simultaneous else "refused"
        if self.answers or (self.simultaneous and any(s.what.is_syn_ack for s in self.segments)):
            return "half_open"
        if self.errors:
            return "unreachable"
        if self.syn_acks and self.syn_acks[-1].frame > self.syns[-1].frame:
            return "reset_by_client" if self.refused_wrong else "half_open"
        return "unanswered"

    def _is_unheard(self, reset: Seen) -> bool:
        """Whether it is the server's, without ACK, for a SYN that it did not answer: RFC 9293 section 3.10.7.3."""
        before = [s for s in self.answers if s.frame < reset.frame]
        return reset.what.side != self.client and not (reset.what.has(ACK) or before or self.simultaneous)

    def times(self) -> dict[str, Any]:
        """The four of them, and the frames."""
        syn = self.syns[0] if self.syns and not self.partial else None
        ack = self._final_ack()
        answer = self._first_answer(ack)
        found: dict[str, Any] = {
            "frame_syn": self.syns[0].frame if syn else None,
            "frame_syn_ack": answer.frame if answer else None,
            "frame_ack": ack.frame if ack else None,
            "syn_to_syn_ack_us": _between(syn, answer),
            "syn_ack_to_ack_us": _between(answer, ack),
            "handshake_us": _between(syn, ack) if answer else None,
        }
        reply = answer
        if self.outcome() == "refused":
            reply = next((s for s in self.resets if s.what.has(ACK)), None)
        if syn is not None:
            before = [s for s in self.syns if reply is not None and s.frame < reply.frame]
            found["retransmit_wait_us"] = _between(syn, (before or [syn])[-1]) if reply else None
        return found

    def _first_answer(self, ack: Seen | None) -> Seen | None:
        """The first SYN-ACK. One long behind its acknowledgment is a later transmission: the first was not captured."""
        answer = self.answers[0] if self.answers else None
        if answer is None or ack is None or self.partial or self.simultaneous:
            return answer
        return None if answer.time_ns > ack.time_ns + DISORDER_NS else answer

    def _final_ack(self) -> Seen | None:
        """The client's first acknowledgment; none where the server's shows that this was missed."""
        if not self.acks:
            return None
        ack = self.acks[0]
        proofs = [s for s in self.data_acks if s.frame < ack.frame]
        begins = bool(self.answers) and ack.what.seq == self.answers[0].what.ack
        swapped = begins and bool(proofs) and ack.time_ns - proofs[0].time_ns <= DISORDER_NS
        return None if proofs and not swapped else ack

    def carried(self, side: int) -> int | None:
        """Bytes of a side, from its first one to the last that was seen."""
        isns = {s.what.seq for s in self.sent(side) if s.what.has(SYN)}
        if len(isns) != 1:
            return None
        begin = (isns.pop() + 1) % SPAN
        reached = [0]
        counted = [s.what for s in self.sent(side) if not s.what.flags & (SYN | RST) or s in self.resets[:1]]
        reached += [ahead(begin, (what.seq + what.length) % SPAN) for what in counted]
        if side == self.client and self.syns:
            reached += [ahead(begin, s.what.ack) for s in self.answers]
        furthest = max(reached)
        fin = self.fin(side)
        return furthest if fin is None else min(furthest, ahead(begin, (fin.what.seq + fin.what.length) % SPAN))

    def fin(self, side: int) -> Seen | None:
        """The first FIN of a side."""
        return next((s for s in self.sent(side) if s.what.has(FIN)), None)

    def _knew(self, side: int) -> bool:
        """Whether a side's FIN acknowledges the other's."""
        mine, theirs = self.fin(side), self.fin(1 - side)
        return mine is not None and theirs is not None and ahead(theirs.what.end, mine.what.ack) >= 0

    def _fin_acked(self, side: int) -> Seen | None:
        fin = self.fin(side)
        if fin is None:
            return None
        covering = (s for s in self.sent(1 - side) if s.what.has(ACK) and ahead(fin.what.end, s.what.ack) >= 0)
        return next(covering, None)

    def _closed_at(self) -> Seen | None:
        """The segment with which both FINs are there and acknowledged."""
        parts = [self.fin(0), self.fin(1), self._fin_acked(0), self._fin_acked(1)]
        seen = [part for part in parts if part is not None]
        return max(seen, key=lambda s: s.frame) if len(seen) == len(parts) else None

    def kept_until(self) -> int | None:
        """Until when a segment is believed to be of this attempt, now that it is over; None where it is not."""
        ends = [end.time_ns for end in (*self.resets[:1], self._closed_at()) if end is not None]
        if not ends or self.client is None:
            return None
        last, since = self.segments[-1].time_ns, min(ends) if self.completed else self.segments[0].time_ns
        return last + max(KEPT_NS[self.completed and not self._may_be_forged()], 3 * (last - since))

    def _may_be_forged(self) -> bool:
        """Whether the first RST has another number than the next one of its sender: then both ends may yet go on."""
        if not self.resets:
            return False
        reset = self.resets[0]
        before = [s.what.end for s in self.sent(reset.what.side) if s.frame < reset.frame]
        return all(reset.what.seq != end for end in before)

    def closing(self) -> dict[str, Any]:
        """Who closed first, how, and who is left with TIME_WAIT."""
        names = {self.client: "client", self.server: "server"}
        if not self.completed:
            return {"close": None, "closed_by": None, "time_wait": None}
        fins = [fin for fin in (self.fin(0), self.fin(1)) if fin is not None]
        over = self._closed_at()
        first = min(fins, key=lambda s: s.frame).what.side if fins else None
        if len(fins) == 2 and self._knew(0) != self._knew(1):
            first = 0 if self._knew(1) else 1
        resets = [s for s in self.resets if over is None or s.frame < over.frame]
        if resets:
            by = resets[0]
            fin_first = first is not None and min(fin.frame for fin in fins) < by.frame
            return {"close": "rst", "closed_by": names[first if fin_first else by.what.side], "time_wait": None}
        if first is None:
            return {"close": None, "closed_by": None, "time_wait": None}
        left = None
        if over is not None:
            knew = self._knew(0) or self._knew(1)
            left = names[first] if knew else "both"
        return {"close": "fin", "closed_by": names[first], "time_wait": left}

    def fast_open(self) -> str | None:
        """What became of it."""
        if not self.syns or self.syns[0].what.options is None or self.syns[0].what.options.fast_open is None:
            return None
        if not self.answers:
            return "requested"
        answer = self.answers[0].what
        if answer.ack != self.first:
            return "accepted"
        return "granted" if answer.options and answer.options.fast_open is not None else "ignored"

    def anomalies(self) -> dict[str, bool]:
        """Those that follow from what was captured alone."""
        numbers = [(s.what.seq, s.what.ack) for s in self.syn_acks]
        copied = [p for p in self.packets if p.copy and isinstance(p.what, Segment) and p.what.has(SYN)]
        asked = bool(self.syns) and self.syns[0].what.has(ECE | CWR)
        return {
            "syn_retransmitted": len(self.syns) > 1 - self.partial,
            "syn_ack_retransmitted": len(set(numbers)) < len(numbers),
            "syn_ack_wrong_ack": any(not self._fits(s) for s in self.syn_acks),
            "isn_changed": len({s.what.seq for s in self.syn_acks if self._fits(s)}) > 1,
            "captured_twice": bool(copied),
            "ecn_fallback": asked and not self.partial and any(not s.what.flags & (ECE | CWR) for s in self.syns[1:]),
        }


def _between(start: Seen | None, to: Seen | None) -> float | None:
    if start is None or to is None or to.time_ns < start.time_ns:
        return None
    return (to.time_ns - start.time_ns) / 1000


def _opened(packets: list[Captured]) -> list[Captured]:
    """Without what came long before the SYN or SYN-ACK: that is of a connection from before the capture."""
    begins = [p.time_ns for p in packets if isinstance(p.what, Segment) and p.what.has(SYN)]
    return [p for p in packets if not begins or p.time_ns >= begins[0] - DISORDER_NS]


def _late(packets: list[Captured]) -> Iterator[tuple[int, int]]:
    """Places of packets that come late behind the end, and how long after they would have been believed."""
    for n, packet in enumerate(packets):
        if n and packet.time_ns - packets[n - 1].time_ns > KEPT_NS[True]:
            until = Attempt(packets[:n]).kept_until()
            if until is not None and packet.time_ns > until:
                yield n, packet.time_ns - until


def is_unclear(packets: list[Captured]) -> bool:
    """Whether something comes about when the attempt is forgotten: a little later is no fault."""
    return any(by < KEPT_NS[False] for _, by in _late(_opened(packets)))


def expected(packets: list[Captured]) -> dict[str, Any] | None:
    """The record's fields; None where there is no record."""
    opened = _opened(packets)
    attempt = Attempt(opened[: next((n for n, _ in _late(opened)), None)])
    if attempt.client is None:
        return None
    wanted: dict[str, Any] = {
        "outcome": attempt.outcome(),
        "simultaneous": attempt.simultaneous,
        "syn_sent": len(attempt.syns),
        "syn_ack_sent": len(attempt.syn_acks),
        "isn_client": attempt.syns[0].what.seq if not attempt.partial else None,
        "isn_server": attempt.isn_server,
        "syn_data_bytes": attempt.syns[0].what.length if not attempt.partial else None,
        "fast_open": attempt.fast_open() if not attempt.partial else None,
        "anomalies": attempt.anomalies(),
    }
    wanted |= attempt.times() | attempt.closing()
    if attempt.simultaneous:
        # Which acknowledgment ends it depends on which of them were captured.
        for name in ("frame_ack", "syn_ack_to_ack_us", "handshake_us"):
            del wanted[name]
    if attempt.completed:
        wanted["client_bytes"] = attempt.carried(attempt.client)
        wanted["server_bytes"] = attempt.carried(attempt.server)
    return wanted
