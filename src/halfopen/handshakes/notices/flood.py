"""SYN floods: many attempts at one endpoint that nobody means to complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.direction import only_first_syns, only_syn_segments
from halfopen.handshakes.notices.notice import Notice, judged, one_a_row, over, where
from halfopen.model.quantity import estimated, grouped, plural, share

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.model.summary import Endpoint, Summary

#: Unfinished attempts below which nothing is called a flood: a queue of 128 (the default before Linux 5.4) holds more.
UNFINISHED_MIN = 100

#: Attempts a second in the busiest interval. Half-open entries are pruned to 7 s under pressure (reqsk_timer_handler),
#: so that a queue of 128 stays full from 128 / 7 = 18 a second.
PER_SECOND_MIN = 18

#: SYNs an attempt: a client that wants the connection repeats its SYN after 1 s (RFC 6298), a flood has no reason to.
SYNS_AN_ATTEMPT_MAX = 1.5

#: Sources among unfinished attempts from which on they count as spread, as forged addresses are.
SPREAD_SHARE_MIN = 0.5

#: Share of attempts that complete, above which unfinished ones from a few sources are no flood.
COMPLETED_MAX = 0.5

#: Spread sources from which on there is no innocent explanation left that fits all of the above.
CERTAIN_SOURCES_MIN = 1000

HINT = (
    "With net.ipv4.tcp_syncookies=1, the default, a listener keeps accepting through it; "
    "`nstat -az TcpExtSyncookiesSent` shows whether cookies are at work."
)


def check(summary: Summary) -> Iterator[Notice]:
    """One notice for each endpoint under a flood."""
    say = _say_perhaps if only_first_syns(summary) else _say
    yield from one_a_row(flooded(summary), unfinished, say, _sum_up)


def flooded(summary: Summary) -> list[Endpoint]:
    """The endpoints under a flood."""
    # In a capture that a filter has stripped of every third packet, all clients look as if they did not complete.
    counts = _unanswered if only_syn_segments(summary) else unfinished
    # What was pushed out of a table that is too small looks unfinished, too; forged addresses are many.
    sources = CERTAIN_SOURCES_MIN if summary.evicted else 0
    rows = [row for row in summary.endpoints if (row.failed_clients or 0) >= sources]
    if only_first_syns(summary):
        rows = [row for row in rows if _is_spread(row)]  # those of a few clients were answered, for all that is known
    return [row for row in rows if counts(row) >= UNFINISHED_MIN and _is_flood(row)]


def unfinished(row: Endpoint) -> int:
    """Attempts that drew neither completion nor refusal."""
    return _unanswered(row) + sum(row.outcomes.get(name, 0) for name in ("half_open", "reset_by_client"))


def _unanswered(row: Endpoint) -> int:
    return row.outcomes.get("unanswered", 0)


def _is_flood(row: Endpoint) -> bool:
    if row.peak is None or row.peak.attempts < PER_SECOND_MIN * max(row.peak.seconds, 1):
        return False
    if row.syn_sent > SYNS_AN_ATTEMPT_MAX * row.handshakes:
        return False
    return _is_spread(row) or row.outcomes.get("established", 0) <= COMPLETED_MAX * judged(row)


def _is_spread(row: Endpoint) -> bool:
    return row.failed_clients is not None and row.failed_clients >= SPREAD_SHARE_MIN * unfinished(row)


def _say(row: Endpoint) -> Notice:
    certain = _is_spread(row) and (row.failed_clients or 0) >= CERTAIN_SOURCES_MIN
    sources = "" if row.failed_clients is None else f" from {_addresses(row)}"
    done = share(row.outcomes.get("established", 0), judged(row))
    text = f"{plural(row.syn_sent, 'SYN')}{sources} to {where(row)}{over(row.first_ns, row.last_ns)}, {done} completed."
    return Notice(
        "syn-flood", "trouble", f"{'A' if certain else 'Probably a'} SYN flood: {text}", HINT, weight=unfinished(row)
    )


def _say_perhaps(row: Endpoint) -> Notice:
    """Of a capture that holds no answer at all."""
    what = f"{plural(row.syn_sent, 'SYN')} from {_addresses(row)} to {where(row)}{over(row.first_ns, row.last_ns)}"
    text = f"{what}, most of them sent once: a SYN flood, or connects whose answers a filter kept out."
    return Notice("syn-flood", "trouble", text, HINT, weight=unfinished(row))


def _addresses(row: Endpoint) -> str:
    # An estimate may exceed what is possible by a few tenths of a per cent.
    clients = min(row.failed_clients or 0, row.failed)
    if clients == 1:
        return "1 address"
    return f"{(grouped if row.failed_clients_exact else estimated)(clients)} addresses"


def _sum_up(rows: Sequence[Endpoint], *, more: bool) -> Notice:
    total, endpoints = sum(map(unfinished, rows)), plural(len(rows), "more endpoint" if more else "endpoint")
    text = f"Probably a SYN flood, at {endpoints}: {plural(total, 'unfinished connect')}, most to {where(rows[0])}."
    return Notice("syn-flood", "trouble", text, "" if more else HINT, weight=total)
