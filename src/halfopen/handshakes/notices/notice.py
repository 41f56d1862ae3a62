"""What a notice is, and the few tools that every file of notices uses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from halfopen.model.handshake import OUTCOMES
from halfopen.model.quantity import duration, endpoint, grouped, listed, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from halfopen.model.summary import Endpoint, Summary

Severity = Literal["trouble", "caveat", "fact"]
"""``trouble``: connections suffered. ``caveat``: what the capture cannot tell. ``fact``: worth knowing."""

SEVERITIES: tuple[Severity, ...] = ("trouble", "caveat", "fact")

#: Sentences of one kind before the rest is summed up in one: a person reads the first lines only.
MOST_OF_A_KIND = 3

#: Share of all attempts concerned that the few heaviest rows must hold, to be told one by one.
STAND_OUT_MIN = 0.5

_T = TypeVar("_T")
_Row_contra = TypeVar("_Row_contra", contravariant=True)


class SumUp(Protocol[_Row_contra]):
    """Puts many rows, the heaviest first, into one sentence."""

    def __call__(self, rows: Sequence[_Row_contra], /, *, more: bool) -> Notice:
        """``more``: others of the kind have a sentence of their own."""


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
    rows: Iterable[_T], count: Callable[[_T], int], say: Callable[[_T], Notice], sum_up: SumUp[_T]
) -> list[Notice]:
    """A sentence for each of the few heaviest rows, and one for all others; only one where no few rows stand out."""
    hit = sorted((row for row in rows if count(row) > 0), key=count, reverse=True)
    if len(hit) <= MOST_OF_A_KIND + 1:
        return [say(row) for row in hit]
    top, rest = hit[:MOST_OF_A_KIND], hit[MOST_OF_A_KIND:]
    if sum(map(count, top)) < STAND_OUT_MIN * sum(map(count, hit)):
        return [sum_up(hit, more=False)]
    sentences = [say(row) for row in top]
    remainder = sum_up(rest, more=True)
    # «At 400 more endpoints» must not come before the endpoints that it is more than.
    return [*sentences, replace(remainder, weight=min(remainder.weight, sentences[-1].weight))]


@dataclass(frozen=True, slots=True)
class AtEndpoints:
    """Sums up endpoints: «12 connects to 9 endpoints were refused», «at 9 more endpoints, 12 connects were refused»."""

    summary: Summary
    kind: str
    count: Callable[[Endpoint], int]
    what: str | Callable[[Sequence[Endpoint]], str]
    """After «12 connects », or what makes it of the endpoints."""
    hint: str = ""

    def __call__(self, rows: Sequence[Endpoint], /, *, more: bool) -> Notice:
        """One sentence for all ``rows``, of which the heaviest come first."""
        total = sum(map(self.count, rows))
        what = self.what if isinstance(self.what, str) else self.what(rows)
        connects = plural(total, "connect")
        if more:
            text = f"At {plural(len(rows), 'more endpoint')}, {connects} {what}."
            return Notice(self.kind, "trouble", text, weight=total)
        # The rarest endpoints of very many have no row, and may be concerned too.
        least = "At least " if self.summary.other_endpoints else ""
        text = f"{least}{connects} to {plural(len(rows), 'endpoint')} {what}{self._worst(rows, total)}."
        return Notice(self.kind, "trouble", text, self.hint, weight=total)

    def _worst(self, rows: Sequence[Endpoint], total: int) -> str:
        """The first few by name, where they are worse than the others."""
        if self.count(rows[0]) * len(rows) < 2 * total:
            return ""
        return f", most at {listed([f'{where(row)} ({grouped(self.count(row))})' for row in rows[:MOST_OF_A_KIND]])}"


def judged(row: Endpoint) -> int:
    """Attempts whose beginning was captured: all but the partial ones."""
    return row.handshakes - row.outcomes.get("partial", 0)


def unknown_outcomes(summary: Summary) -> dict[str, int]:
    """Outcomes that this version has no words for, of a newer core."""
    return {name: count for name, count in summary.outcomes.items() if name not in OUTCOMES}
