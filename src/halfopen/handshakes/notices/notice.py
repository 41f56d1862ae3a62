"""What a notice is, and the few tools that every file of notices uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

from halfopen.model.handshake import OUTCOMES
from halfopen.model.quantity import duration, endpoint, grouped, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from halfopen.model.summary import Endpoint, Summary

Severity = Literal["trouble", "caveat", "fact"]
"""``trouble``: connections suffered. ``caveat``: what the capture cannot tell. ``fact``: worth knowing."""

SEVERITIES: tuple[Severity, ...] = ("trouble", "caveat", "fact")

#: Sentences of one kind before the rest is summed up in one: a person reads the first lines only.
MOST_OF_A_KIND = 3

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Notice:
    """One plain sentence about a capture."""

    kind: str
    """Stable name, kebab-case: ``waited-for-retransmission``."""
    severity: Severity
    text: str
    """The sentence, with its full stop. Holds addresses and numbers, never foreign text."""
    hint: str = ""
    """What it may mean or what to look at next, as a sentence; hedged as far as the evidence goes."""
    weight: int = 0
    """Attempts concerned: what the notices are ranked by."""


def where(row: Endpoint) -> str:
    """``10.0.0.5:443``."""
    return endpoint(row.server, row.server_port)


def connects_to(count: int, whole: int, row: Endpoint) -> str:
    """«3 of 120 connects to X», «the only connect to X», «all 14 connects to X»."""
    if count == whole:
        few = {1: "The only connect", 2: "Both connects"}
        return f"{few.get(whole) or 'All ' + plural(whole, 'connect')} to {where(row)}"
    return f"{grouped(count)} of {plural(whole, 'connect')} to {where(row)}"


def over(first_ns: int | None, last_ns: int | None) -> str:
    """« over 2 min», or nothing when it was one moment or is not known."""
    if first_ns is None or last_ns is None or last_ns - first_ns < 1_000_000:
        return ""
    return f" over {duration((last_ns - first_ns) / 1000)}"


def one_a_row(
    rows: Iterable[_T], count: Callable[[_T], int], say: Callable[[_T], Notice], rest: Callable[[Sequence[_T]], Notice]
) -> list[Notice]:
    """A sentence for each of the few heaviest rows, and one for all others."""
    hit = sorted((row for row in rows if count(row) > 0), key=count, reverse=True)
    most = MOST_OF_A_KIND if len(hit) != MOST_OF_A_KIND + 1 else MOST_OF_A_KIND + 1
    sentences = [say(row) for row in hit[:most]]
    return [*sentences, rest(hit[most:])] if hit[most:] else sentences


def others(kind: str, rows: Sequence[Endpoint], count: Callable[[Endpoint], int], what: str) -> Notice:
    """The endpoints without a sentence of their own, summed up in one."""
    total = sum(count(row) for row in rows)
    return Notice(
        kind,
        "trouble",
        f"The same at {plural(len(rows), 'more endpoint')}: {plural(total, 'connect')} {what}.",
        weight=total,
    )


def judged(row: Endpoint) -> int:
    """Attempts whose beginning was captured: all but the partial ones."""
    return row.handshakes - row.outcomes.get("partial", 0)


def only_syn_segments(summary: Summary) -> bool:
    """Whether no segment but SYN and SYN-ACK was captured although there were answers.

    A capture filter on the SYN flag keeps the third packet of every handshake out.
    """
    if summary.filter is not None:  # the segments of all handshakes against the SYNs of some
        return False
    answers = summary.syn_ack_sent > 0 and summary.outcomes.get("half_open", 0) > 0
    return answers and summary.tcp_segments == summary.syn_sent + summary.syn_ack_sent


def unknown_outcomes(summary: Summary) -> dict[str, int]:
    """Outcomes that this version has no words for, of a newer core."""
    return {name: count for name, count in summary.outcomes.items() if name not in OUTCOMES}
