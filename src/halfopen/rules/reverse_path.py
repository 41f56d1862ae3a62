"""What helps where reverse path filtering drops packets that were meant to come in: one place for rule and verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Change
    from halfopen.rules.space import Space

ALL = "net.ipv4.conf.all.rp_filter"
LOOSE = "2"


def repair(space: Space) -> Remedy:
    """The route first; where the way is meant to be asymmetric, the loose mode (the larger of both settings counts)."""
    summary = "Repair the route back to those sources; if the way is meant to be asymmetric, set the filter to loose."
    return Remedy(summary, tuple(_loosened(space)))


def _loosened(space: Space) -> Iterator[Change]:
    """Mode 2 for all: no interface's own 1 outweighs it."""
    if space.sysctl(ALL) != int(LOOSE):
        yield space.change(ALL, LOOSE)
