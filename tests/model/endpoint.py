"""One end of a TCP connection, slow and plain: RFC 9293 section 3.10, with RFC 5961 and RFC 7413.

No congestion control, one segment a write, no reassembly (what comes out of order is dropped and sent again): what
matters here is which segments are sent, when, and with what numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.model.segments import ACK, CWR, ECE, FIN, PSH, RST, SPAN, SYN, Options, Segment, ahead

if TYPE_CHECKING:
    from collections.abc import Callable

MS = 1_000_000
WINDOW = 65_000
SYN_TIMEOUT_NS = 1000 * MS
DATA_TIMEOUT_NS = 250 * MS


#: An action of the application: nanoseconds after the one before (at first, after the handshake), what, how many bytes.
Action = tuple[int, str, int]


@dataclass
class Behaviour:
    """What an end does, and how its machine is set up."""

    listens: bool = False
    options: Options = field(default_factory=Options)
    ecn: bool = False
    retries: int = 3
    """How often a SYN or SYN-ACK is sent again."""
    late_ns: int = 0
    """How much later than due the timer of the SYN or SYN-ACK rings."""
    script: tuple[Action, ...] = ()
    gives_up_ns: int | None = None
    """Closes the socket this long after the first SYN, when it is not connected by then."""
    fast_open: str | None = None
    """A client's: ``request``, ``cookie``. A server's: ``grant``, ``accept``."""
    syn_data: int = 0
    deaf_ns: int = 0
    """A server's: final ACKs are dropped for so long after the first SYN (its accept queue is full)."""
    wrong_ack: bool = False
    """A server's: every SYN-ACK acknowledges something else."""
    new_isn: bool = False
    """A server's: every SYN is answered with another number."""
    resets_at_accept: bool = False
    """A server's: it answers the final ACK with RST (``tcp_abort_on_overflow``)."""


@dataclass(frozen=True)
class Outside:
    """What an end needs of the world."""

    send: Callable[[Segment], None]
    after: Callable[[int, Callable[[], None]], None]
    now: Callable[[], int]


class Endpoint:
    """A socket."""

    def __init__(self, side: int, isn: int, behaviour: Behaviour, outside: Outside) -> None:
        self.side, self.isn, self.behaviour = side, isn, behaviour
        self._send, self._after, self._now = outside.send, outside.after, outside.now
        self.state = "LISTEN" if behaviour.listens else "CLOSED"
        self.history = [self.state]
        self.una = self.nxt = isn
        self.rcv = 0
        self.peer_isn: int | None = None
        self._queue: list[tuple[int, int, bool]] = []
        self._sent_syns = 0
        self._first_syn_ns: int | None = None
        self._started = False
        self._timer = 0

    # ---- what the application does

    def connect(self) -> None:
        """Sends the SYN."""
        self._go("SYN_SENT")
        self._transmit_syn()
        if self.behaviour.gives_up_ns is not None:
            self._after(self.behaviour.gives_up_ns, self.fail)

    def fail(self) -> None:
        """connect() returns an error: nothing is sent."""
        if self.state == "SYN_SENT":
            self._go("CLOSED")

    def abort(self) -> None:
        """Closes with RST (SO_LINGER 0)."""
        if self.state in {"SYN_RCVD", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT"}:
            self._emit(RST | ACK, self.nxt)
        if self.state not in {"LISTEN", "TIME_WAIT"}:
            self._go("CLOSED")

    def write(self, length: int) -> None:
        """Sends data."""
        if self.state in {"ESTABLISHED", "CLOSE_WAIT"} or (self.state == "SYN_RCVD" and self.behaviour.syn_data):
            self._push(length, fin=False)

    def close(self) -> None:
        """Sends FIN."""
        following = {"ESTABLISHED": "FIN_WAIT_1", "CLOSE_WAIT": "LAST_ACK"}
        if self.state in following:
            self._push(0, fin=True)
            self._go(following[self.state])

    def _start(self) -> None:
        if not self._started:
            self._started = True
            self._act(0)

    def _act(self, nth: int) -> None:
        if nth == len(self.behaviour.script):
            return
        delay, what, length = self.behaviour.script[nth]

        def run() -> None:
            if what == "write":
                self.write(length)
            elif what == "close":
                self.close()
            else:
                self.abort()
            self._act(nth + 1)

        self._after(delay, run)

    # ---- sending

    def _go(self, state: str) -> None:
        self.state = state
        self.history.append(state)

    def _emit(
        self, flags: int, seq: int, length: int = 0, options: Options | None = None, ack: int | None = None
    ) -> None:
        value = (self.rcv if ack is None else ack) if flags & ACK else 0
        window = 64_240 if flags & SYN else 502
        self._send(Segment(self.side, flags, seq % SPAN, value, length, options, window))

    def _transmit_syn(self) -> None:
        again, wanted = self._sent_syns > 0, self.behaviour.fast_open
        options, length = self._stamped(self.behaviour.options), 0
        if wanted is not None and not again:
            cookie = b"" if wanted == "request" else b"cookie!!"
            options = Options(options.mss, options.window_scale, options.sack, options.timestamps, cookie)
            length = self.behaviour.syn_data if wanted == "cookie" else 0
            if length:
                self._queue = [(self.isn + 1, length, False)]
        ecn = ECE | CWR if self.behaviour.ecn and self._sent_syns < 2 else 0
        self.nxt = max(self.nxt, self.isn + 1 + length, key=lambda n: n - self.isn)
        self._sent_syns += 1
        self._emit(SYN | ecn, self.isn, length, options)
        self._retry_later(self._transmit_syn, {"SYN_SENT"})

    def _transmit_syn_ack(self) -> None:
        """Also that of a simultaneous open, which repeats the SYN's own options."""
        behaviour = self.behaviour
        if behaviour.new_isn and behaviour.listens:
            self.isn = self.una = (self.isn + 64_000_000) % SPAN
        self.nxt = self.isn + 1
        options = self._stamped(behaviour.options)
        if behaviour.listens and self._asked_fast_open and behaviour.fast_open == "grant":
            options = Options(options.mss, options.window_scale, options.sack, options.timestamps, b"granted!")
        self._sent_syns += 1
        ecn = ECE if behaviour.ecn and self._asked_ecn else 0
        self._emit(SYN | ACK | ecn, self.isn, 0, options, ack=(self.rcv + 77) % SPAN if behaviour.wrong_ack else None)
        self._retry_later(self._transmit_syn_ack, {"SYN_RCVD"})

    _asked_fast_open = False
    _asked_ecn = False
    _tick = 0

    def _stamped(self, options: Options) -> Options:
        if options.timestamps is None:
            return options
        stamps = (self._now() // MS % SPAN, 1 if self.peer_isn is not None else 0)
        return Options(options.mss, options.window_scale, options.sack, stamps)

    def _retry_later(self, again: Callable[[], None], states: set[str]) -> None:
        self._timer += 1
        armed, nth = self._timer, self._sent_syns - 1

        def run() -> None:
            if self._timer == armed and self.state in states and nth < self.behaviour.retries:
                again()

        self._after((SYN_TIMEOUT_NS << nth) + self.behaviour.late_ns, run)

    def _push(self, length: int, *, fin: bool) -> None:
        chunk = (self.nxt, length, fin)
        self._queue.append(chunk)
        self.nxt = (self.nxt + length + fin) % SPAN
        self._transmit(chunk, 0)

    def _transmit(self, chunk: tuple[int, int, bool], nth: int) -> None:
        seq, length, fin = chunk
        self._emit(ACK | (FIN if fin else 0) | (PSH if length else 0), seq, length)

        def again() -> None:
            if chunk in self._queue and nth < 4 and self.state not in {"CLOSED", "TIME_WAIT"}:
                self._transmit(chunk, nth + 1)

        self._after(DATA_TIMEOUT_NS << nth, again)

    # ---- receiving

    def receive(self, segment: Segment) -> None:
        """SEGMENT ARRIVES."""
        handlers = {"CLOSED": self._closed, "LISTEN": self._listen, "SYN_SENT": self._syn_sent}
        handlers.get(self.state, self._synchronized)(segment)

    def _closed(self, segment: Segment) -> None:
        if segment.has(RST):
            return
        if segment.has(ACK):
            self._emit(RST, segment.ack)
        else:
            self._emit(RST | ACK, 0, ack=segment.end)

    def _listen(self, segment: Segment) -> None:
        if segment.has(RST):
            return
        if segment.has(ACK):
            self._emit(RST, segment.ack)
        elif segment.has(SYN):
            self._first_syn_ns = self._now()
            self._asked_ecn = segment.has(ECE | CWR)
            self._accept_syn(segment)
            self._go("SYN_RCVD")
            self._transmit_syn_ack()
            if self.behaviour.fast_open == "accept" and segment.length and self._asked_fast_open:
                self._start()

    def _accept_syn(self, segment: Segment) -> None:
        asked = segment.options.fast_open if segment.options else None
        self._asked_fast_open = asked is not None
        takes = self.behaviour.fast_open == "accept" and bool(asked)
        self.peer_isn = segment.seq
        self.rcv = (segment.seq + 1 + (segment.length if takes else 0)) % SPAN

    def _syn_sent(self, segment: Segment) -> None:
        fits = 0 < ahead(self.isn, segment.ack) <= ahead(self.isn, self.nxt)
        if segment.has(ACK) and not fits:
            if not segment.has(RST):
                self._emit(RST, segment.ack)
            return
        if segment.has(RST):
            if segment.has(ACK):
                self._go("CLOSED")
            return
        if not segment.has(SYN):
            return
        self.peer_isn, self.rcv = segment.seq, (segment.seq + 1) % SPAN
        if not segment.has(ACK):
            self._go("SYN_RCVD")
            self._transmit_syn_ack()
            return
        self._acknowledged(segment.ack)
        self._go("ESTABLISHED")
        if not self._queue:
            self._emit(ACK, self.nxt)
        for chunk in self._queue:
            self._transmit(chunk, 0)
        self._start()

    def _synchronized(self, segment: Segment) -> None:
        if self._is_old(segment):
            return
        if segment.has(RST):
            if segment.seq == self.rcv:
                self._go("CLOSED")
            else:
                self._emit(ACK, self.nxt)
            return
        if segment.has(SYN):
            self._emit(ACK, self.nxt)
            return
        if segment.has(ACK) and self._takes_ack(segment):
            self._takes_data(segment)

    def _is_old(self, segment: Segment) -> bool:
        """First check: the sequence number. What lies outside is acknowledged, and nothing else."""
        if 0 <= ahead(self.rcv, segment.seq) <= WINDOW:
            return False
        if self.state == "SYN_RCVD" and segment.is_syn and segment.seq == self.peer_isn:
            self._transmit_syn_ack()
            return True
        overlaps = ahead(self.rcv, segment.end) > 0 and not segment.has(SYN)
        # A simultaneous open: the peer's SYN-ACK repeats its SYN, and acknowledges ours.
        if self.state == "SYN_RCVD" and segment.is_syn_ack and segment.seq == self.peer_isn:
            overlaps = self._takes_ack(segment)
            return True
        if not overlaps and not segment.has(RST):
            self._emit(ACK, self.nxt)
        return not overlaps

    def _takes_ack(self, segment: Segment) -> bool:
        if self.state == "SYN_RCVD":
            if not 0 < ahead(self.una, segment.ack) <= ahead(self.una, self.nxt):
                self._emit(RST, segment.ack)
                return False
            if self._first_syn_ns is not None and self._now() < self._first_syn_ns + self.behaviour.deaf_ns:
                return False
            self._go("ESTABLISHED")
            if self.behaviour.resets_at_accept:
                self._emit(RST, self.nxt)
                self._go("CLOSED")
                return False
            self._acknowledged(segment.ack)
            self._start()
            return True
        if ahead(self.nxt, segment.ack) > 0:
            self._emit(ACK, self.nxt)
            return False
        self._acknowledged(segment.ack)
        return True

    def _acknowledged(self, ack: int) -> None:
        if ahead(self.una, ack) <= 0:
            return
        self.una = ack
        fin_was_sent = any(fin for _, _, fin in self._queue)
        self._queue = [c for c in self._queue if ahead(ack, (c[0] + c[1] + c[2]) % SPAN) > 0]
        if fin_was_sent and not self._queue:
            following = {"FIN_WAIT_1": "FIN_WAIT_2", "CLOSING": "TIME_WAIT", "LAST_ACK": "CLOSED"}
            if self.state in following:
                self._go(following[self.state])

    def _takes_data(self, segment: Segment) -> None:
        start = segment.seq
        if ahead(self.rcv, start) > 0:
            self._emit(ACK, self.nxt)
            return
        fresh = ahead(self.rcv, segment.end)
        if fresh <= 0 and not segment.length and not segment.has(FIN):
            return
        if fresh > 0:
            self.rcv = segment.end
        self._emit(ACK, self.nxt)
        if fresh > 0 and segment.has(FIN):
            following = {"ESTABLISHED": "CLOSE_WAIT", "FIN_WAIT_1": "CLOSING", "FIN_WAIT_2": "TIME_WAIT"}
            if self.state in following:
                self._go(following[self.state])
