"""What ``halfopen serve`` prints: a line for each event, and the summary at the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from halfopen.model.quantity import duration, endpoint, grouped, listed, plural, size
from halfopen.render.counters import moved_counters
from halfopen.render.layout import Paint, clamp, wrap

if TYPE_CHECKING:
    from collections.abc import Mapping

Event = dict[str, Any]

_ENDINGS = {"client": "closed by the client", "server": "closed by the server", "error": "ended by"}


def event_line(event: Event, paint: Paint) -> str:
    """One event on one line."""
    return {"accepted": _accepted, "closed": _closed, "queue": _queue}[event["event"]](event, paint)


def _accepted(event: Event, paint: Paint) -> str:
    words = [f"waited {_wait(event)}", f"queue {_depth(event['queue_depth'], event['queue_limit'])}"]
    if event["rtt_us"] is not None:
        words.append(f"rtt {duration(event['rtt_us'])}")
    if event["syn_ack_retransmissions"]:
        words.append(f"SYN-ACK sent again {plural(event['syn_ack_retransmissions'], 'time')}")
    if event["syn_data"]:
        words.append(f"data in the SYN ({size(event['bytes_at_accept'])})")
    elif event["bytes_at_accept"]:
        words.append(f"{size(event['bytes_at_accept'])} waiting")
    if event["syn_cookie"]:
        words.append("from a SYN cookie")
    return f"{_clock(event)} #{event['id']} {_peer(event)} {paint('good', 'accepted')}: {', '.join(words)}"


def _closed(event: Event, paint: Paint) -> str:
    role = "warn" if event["closed_by"] == "error" else "dim"
    how = _ENDINGS[event["closed_by"]] + (f" {event['errno']}" if event["errno"] else "")
    volume = f"{size(event['received_bytes'])} in, {size(event['sent_bytes'])} out"
    return f"{_BLANK} #{event['id']} {_peer(event)} {paint(role, how)} after {duration(event['open_us'])}: {volume}"


def _queue(event: Event, paint: Paint) -> str:
    full = event["depth"] > event["limit"]
    words = f"accept queue {_depth(event['depth'], event['limit'])}"
    note = ", full: further SYNs are dropped" if full else ""
    return f"{_clock(event)} {endpoint(event['address'], event['port'])} {paint('bad' if full else '', words)}{note}"


def _wait(event: Event) -> str:
    """The kernel counts it in jiffies, so that less than two of them is only known to be little."""
    if event["accept_wait_ms"] <= event["accept_wait_precision_ms"]:
        return f"<{event['accept_wait_precision_ms']} ms"
    return duration(event["accept_wait_ms"] * 1000)


def _depth(depth: int | None, limit: int | None) -> str:
    return "unknown" if depth is None or limit is None else f"{grouped(depth)} of {grouped(limit)}"


def _peer(event: Event) -> str:
    return endpoint(event["peer"], event["peer_port"])


def _clock(event: Event) -> str:
    when = datetime.fromtimestamp(event["at_ns"] / 1e9, UTC)
    return f"{when:%H:%M:%S}.{when.microsecond // 1000:03d}"


#: As wide as a time.
_BLANK = " " * 12


def summary_text(summary: Mapping[str, Any], *, width: int, color: bool) -> str:
    """The end of a server's life."""
    paint, width = Paint(color), clamp(width)
    lines = [line for words in _summary_words(summary) for line in wrap(words, width)]
    counters = moved_counters(summary["kernel_deltas"], width, paint)
    return "\n".join(["", *lines, *([""] if counters else []), *counters]) + "\n"


def _summary_words(summary: Mapping[str, Any]) -> list[str]:
    endings = [f"{_ENDINGS[by]} {grouped(count)}" for by, count in summary["closed"].items() if count and by != "error"]
    errors = summary["errors"]
    endings += [f"{name} {grouped(count)}" for name, count in (errors or {}).items()]
    if errors is None and summary["closed"]["error"]:
        endings.append(f"ended by an error {grouped(summary['closed']['error'])}")
    first = f"{plural(summary['accepted'], 'connection')} accepted"
    words = [f"{first}; {listed(endings, 6)}." if endings else f"{first}."]
    if summary["accepted"]:
        words.append(f"{size(summary['received_bytes'])} received, {size(summary['sent_bytes'])} sent.")
    longest = summary["accept_wait_max_ms"]
    queue = f"Deepest accept queue seen: {grouped(summary['queue_max'])}"
    words.append(queue + (f"; longest wait in it: {duration(longest * 1000)}." if longest else "."))
    special = [
        f"{plural(summary[name], 'connection')} {what}"
        for name, what in (
            ("syn_data", "with data in the SYN"),
            ("syn_cookies", "from a SYN cookie"),
            ("syn_ack_retransmitted", "after a repeated SYN-ACK"),
        )
        if summary[name]
    ]
    words += [listed(special) + "."] if special else []
    if summary["lost_events"]:
        words.append(
            f"{plural(summary['lost_events'], 'event')} came too fast to be told, and are not in these numbers."
        )
    return words
