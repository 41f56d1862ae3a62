"""Few handshakes out of many, so that every kind is among them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.handshake import Handshake
    from halfopen.model.summary import Summary


def spread(rows: Sequence[Handshake], count: int) -> list[Handshake]:
    """At most ``count`` of the rows, in their order: of each server, port and outcome about equally many.

    Within one kind those with the most SYNs come first, then the earlier ones. (The native core picks its list of
    failed attempts the same way out of all of them.)
    """
    if len(rows) <= count:
        return list(rows)
    kinds: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        kinds[row.server, row.server_port, row.outcome].append(i)
    ranked = [sorted(kind, key=lambda i: (-(rows[i].syn_sent or 0), i)) for kind in kinds.values()]
    rounds = [kind[turn] for turn in range(max(map(len, ranked))) for kind in ranked if turn < len(kind)]
    return [rows[i] for i in sorted(rounds[:count])]


def worth_drawing(summary: Summary, count: int) -> list[Handshake]:
    """At most ``count`` handshakes to draw as ladders: the failed ones of every kind, then the slowest, half and half."""
    failed = spread(summary.failed, max(count // 2, count - len(summary.slowest)))
    return failed + spread(summary.slowest, count - len(failed))


def shortened(summary: Summary, rows: int) -> Summary:
    """The same summary with at most ``rows`` of the slowest and of the failed handshakes, every kind among them."""
    failed, slowest = spread(summary.failed, rows), summary.slowest[:rows]
    document = dict(summary.document)
    for name, kept in (("failed", failed), ("slowest", slowest)):
        numbers = {row.number for row in kept}
        document[name] = [row for row in document.get(name) or () if row.get("number") in numbers]
    return replace(summary, failed=tuple(failed), slowest=tuple(slowest), document=document)
