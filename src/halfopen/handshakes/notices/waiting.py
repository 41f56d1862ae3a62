"""Connects that succeeded late, because a SYN or SYN-ACK had to be sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.direction import shows_no_answers
from halfopen.handshakes.notices.notice import (
    AtEndpoints,
    Notice,
    connects_to,
    judged,
    one_a_row,
    where,
)
from halfopen.model.quantity import grouped, plural
from halfopen.model.summary import Retransmission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from halfopen.model.summary import Endpoint, Summary, Timeline

#: Share of answered connects that waited, below which it is the loss that every long path has.
WAITED_SHARE_MIN = 0.001

#: A wait is named when it makes up this share of the waits; the named ones must cover this much together.
NAMED_SHARE_MIN = 0.1
NAMED_COVER_MIN = 0.8

#: Share of judged attempts whose round trip lies on one side, to call the capture point near that end.
NEAR_SHARE_MIN = 0.8

#: Bursts: attempts are grouped in slices of at least this many; a slice in which this share was retransmitted is a bad
#: one; bad slices must hold this share of all retransmitted attempts, and at most this share of all attempts.
#: Random loss spreads evenly; a listener whose accept queue is full loses everybody for a while.
SLICE_ATTEMPTS = 5
BAD_SLICE_MIN = 0.8
BURST_SHARE_MIN = 0.7
BURST_ATTEMPTS_MAX = 0.8
BURST_RETRANSMITTED_MIN = 10

#: SYN-ACK retransmissions among answered connects from which on they are worth a sentence.
SYN_ACK_SHARE_MIN = 0.01

#: Below the usual loss in the capture as a whole, one endpoint stands out with at least so many, and this share.
OUTSTANDING_MIN = 3
OUTSTANDING_SHARE_MIN = 0.1

LATE = "The SYN-ACK was lost on its way, or later than the client's patience (1 s on most systems)."
#: The first timeout is 1 s (RFC 6298 section 2.1); what came in half of that was not too late.
IN_TIME_US = 500_000
IN_TIME = (
    "The SYN-ACK passed the capture point in time: lost behind it, or dropped at the client by rp_filter "
    "(`nstat -az TcpExtIPReversePathFilter`) or a rule at its input."
)
REPEATED = (
    "The SYN-ACK was lost behind the capture point, or the server had not taken the ACK: lost, late, dropped because "
    "the accept queue was full, or left waiting for data by TCP_DEFER_ACCEPT."
)
BURSTS = (
    "They come in bursts that hit nearly every connect: fits a full accept queue, or a path that fails for moments."
)
SERVER_SIDE = (
    "The first SYNs passed the capture point, which is near the server: a full accept queue, or a packet filter there; "
    "`nstat -az TcpExtListenOverflows` on the server tells."
)
ELSEWHERE = (
    "The SYN or the SYN-ACK to it was lost on the way, or a full accept queue dropped the SYN: "
    "`nstat -az TcpExtListenOverflows` on the server tells."
)


def check(summary: Summary) -> Iterator[Notice]:
    """SYNs sent again because the first was lost, because its SYN-ACK was, then SYN-ACKs sent again."""
    rows = _notable(summary, _waited, WAITED_SHARE_MIN)
    waited = AtEndpoints(summary, "waited-for-retransmission", _waited, _waited_how, ELSEWHERE)
    yield from one_a_row(rows, _waited, lambda row: _say(summary, row), waited)
    if not shows_no_answers(summary):
        rows = _notable(summary, _late, WAITED_SHARE_MIN)
        late = AtEndpoints(summary, "syn-ack-lost-or-late", _late, "repeated a SYN that the server did answer", LATE)
        yield from one_a_row(rows, _late, _say_late, late)
    rows = _notable(summary, _repeats, SYN_ACK_SHARE_MIN)
    repeated = AtEndpoints(summary, "syn-ack-repeated", _repeats, "drew a second SYN-ACK", REPEATED)
    yield from one_a_row(rows, _repeats, _say_repeats, repeated)


def _notable(summary: Summary, count: Callable[[Endpoint], int], least: float) -> list[Endpoint]:
    """The endpoints where it is more than the usual loss: of the capture as a whole, or there alone."""
    total = sum(map(count, summary.endpoints))
    everywhere = total >= least * sum(row.answered for row in summary.endpoints)
    return [
        row
        for row in summary.endpoints
        if count(row) >= least * row.answered
        and (everywhere or count(row) >= max(OUTSTANDING_MIN, OUTSTANDING_SHARE_MIN * row.answered))
    ]


def in_bursts(timeline: Timeline | None) -> bool:
    """Whether retransmitted attempts crowd together in time."""
    if timeline is None or sum(timeline.retransmitted) < BURST_RETRANSMITTED_MIN:
        return False
    bad_attempts = bad_retransmitted = attempts = retransmitted = 0
    for begun, again in zip(timeline.attempts, timeline.retransmitted, strict=False):
        attempts, retransmitted = attempts + begun, retransmitted + again
        if attempts >= SLICE_ATTEMPTS:
            if retransmitted >= BAD_SLICE_MIN * attempts:
                bad_attempts, bad_retransmitted = bad_attempts + attempts, bad_retransmitted + retransmitted
            attempts = retransmitted = 0
    crowded = bad_retransmitted >= BURST_SHARE_MIN * sum(timeline.retransmitted)
    return crowded and bad_attempts <= BURST_ATTEMPTS_MAX * sum(timeline.attempts)


def _waited(row: Endpoint) -> int:
    return row.retransmission.waited


def _say(summary: Summary, row: Endpoint) -> Notice:
    again = row.retransmission
    text = f"{connects_to(again.waited, judged(row), row)} waited {_how_long(again)} for a retransmitted SYN."
    only_one = again.waited * 5 >= summary.retransmission.waited * 4
    bursts = f"{BURSTS} " if only_one and in_bursts(summary.timeline) else ""
    return Notice("waited-for-retransmission", "trouble", text, bursts + _cause(row), weight=again.waited)


def _cause(row: Endpoint) -> str:
    near_server = row.split.judged and row.split.near_server >= NEAR_SHARE_MIN * row.split.judged
    return SERVER_SIDE if near_server else ELSEWHERE


def _how_long(again: Retransmission) -> str:
    """«1 s», «1 s or 3 s», «up to 7 s»."""
    waits = [(seconds, count) for seconds, count in again.waits if count]
    # The histogram rounds to whole seconds; its bin 0 also holds every connect that did not wait.
    zero = again.waited - sum(count for seconds, count in waits if seconds)
    waits = [(seconds, count) for seconds, count in waits if seconds] + ([(0, zero)] if zero > 0 else [])
    named = sorted(item for item in waits if item[1] >= NAMED_SHARE_MIN * again.waited)
    if not named or sum(count for _, count in named) < NAMED_COVER_MIN * again.waited:
        return f"up to {max(seconds for seconds, _ in waits)} s" if waits else "long"
    words = ["less than 0.5 s" if seconds == 0 else f"{seconds} s" for seconds, _ in named]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


def _waited_how(rows: Sequence[Endpoint]) -> str:
    waits: dict[int, int] = {}
    for row in rows:
        for seconds, count in row.retransmission.waits:
            waits[seconds] = waits.get(seconds, 0) + count
    again = Retransmission(waited=sum(map(_waited, rows)), waits=tuple(sorted(waits.items())))
    return f"waited {_how_long(again)} for a retransmitted SYN"


def _late(row: Endpoint) -> int:
    """Attempts that repeated a SYN of which the first had reached the server: at least so many.

    Not the refused ones: their clients try again after the RST (Windows does, three times).
    """
    if not row.syn_ack_sent:
        return 0
    explained = row.retransmission.waited + (row.handshakes - row.answered) + row.outcomes.get("refused", 0)
    return max(0, row.retransmission.syn_handshakes - explained)


def _say_late(row: Endpoint) -> Notice:
    text = f"{connects_to(_late(row), judged(row), row)} repeated a SYN that the server did answer."
    slowest = row.latency_us.syn_to_syn_ack.max
    hint = IN_TIME if slowest is not None and slowest < IN_TIME_US else LATE
    return Notice("syn-ack-lost-or-late", "trouble", text, hint, weight=_late(row))


def _repeats(row: Endpoint) -> int:
    """Attempts with a repeated SYN-ACK, beyond those that a half-open or a repeated SYN explains."""
    explained = row.outcomes.get("half_open", 0) + row.retransmission.syn_handshakes
    return max(0, row.retransmission.syn_ack_handshakes - explained)


def _say_repeats(row: Endpoint) -> Notice:
    count = row.retransmission.syn_ack_handshakes
    whole = judged(row) if count <= judged(row) else row.handshakes
    text = f"The server repeated its SYN-ACK in {grouped(count)} of {plural(whole, 'connect')} to {where(row)}."
    return Notice("syn-ack-repeated", "trouble", text, REPEATED, weight=count)
