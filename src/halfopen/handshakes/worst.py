"""Few handshakes out of many, so that every kind is among them."""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from halfopen.model.handshake import Handshake
    from halfopen.model.summary import Summary


Kind = tuple[object, ...]

#: Ladders of one kind: the third like the first two tells nothing new.
ALIKE_MOST = 3


def spread(rows: Sequence[Handshake], count: int) -> list[Handshake]:
    """At most ``count`` of the rows, in their order: of each server, port and outcome about equally many.

    Within one kind those with the most SYNs come first, then the earlier ones. (The native core picks its list of
    failed attempts the same way out of all of them.)
    """
    return _picked(rows, count, lambda row: (row.server, row.server_port, row.outcome))


def _picked(
    rows: Sequence[Handshake], count: int, kind_of: Callable[[Handshake], Kind], alike: int = sys.maxsize
) -> list[Handshake]:
    kinds: dict[Kind, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        kinds[kind_of(row)].append(i)
    ranked = [sorted(kind, key=lambda i: (-(rows[i].syn_sent or 0), i))[:alike] for kind in kinds.values()]
    turns = range(max(map(len, ranked), default=0))
    rounds = [kind[turn] for turn in turns for kind in ranked if turn < len(kind)]
    return [rows[i] for i in sorted(rounds[:count])]


def worth_drawing(summary: Summary, count: int) -> list[Handshake]:
    """At most ``count`` handshakes to draw as ladders: failed ones and slow ones, few of those that are alike."""
    failed = _picked(summary.failed, count, _looks, ALIKE_MOST)
    slowest = _picked(summary.slowest, count, _looks, ALIKE_MOST)
    failed = failed[: max(count // 2, count - len(slowest))]
    return failed + slowest[: count - len(failed)]


def _looks(row: Handshake) -> Kind:
    return row.server, row.server_port, row.outcome, row.syn_sent, row.syn_ack_sent, frozenset(row.anomalies)


def shortened(summary: Summary, rows: int) -> Summary:
    """The same summary with at most ``rows`` of the slowest and of the failed handshakes, every kind among them."""
    failed, slowest = spread(summary.failed, rows), summary.slowest[:rows]
    document = dict(summary.document)
    for name, kept in (("failed", failed), ("slowest", slowest)):
        numbers = {row.number for row in kept}
        document[name] = [row for row in document.get(name) or () if row.get("number") in numbers]
    return replace(summary, failed=tuple(failed), slowest=tuple(slowest), document=document)
