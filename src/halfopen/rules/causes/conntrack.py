"""Connection tracking: is there room for one more, here and wherever the packets come through?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.quantity import plural, share
from halfopen.rules.causes.places import of_namespace, worst
from halfopen.rules.tracking import NEARLY, conntrack_evidence, dropped, larger_table, nearly_full, stays

if TYPE_CHECKING:
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether connection tracking has room for one more."""
    return worst(space, way, lambda place: _at(place, way))


def _at(space: Space, way: Way) -> LocalCause | None:
    table = space.now.conntrack
    if table is None or table.max is None:
        return None
    evidence = tuple(conntrack_evidence(space))
    lost = dropped(space) or 0
    if not nearly_full(space):
        return LocalCause("conntrack", "exonerated", "Connection tracking has room.", evidence)
    whose = of_namespace(space)
    if not lost and (stays(space) or 0) < NEARLY * table.max:
        sentence = f"What fills the table of connection tracking{whose} gives way to new connections."
        return LocalCause("conntrack", "exonerated", sentence, evidence)
    netns, remedy, confirm = None if space.now.own else space.name, larger_table(space), space.command("conntrack -S")
    if lost >= max(1, way.lost):
        sentence = f"Connection tracking{whose} is full, and dropped {plural(lost, 'packet')} in the meantime."
        return LocalCause("conntrack", "cause", sentence, evidence, remedy, confirm, None, netns, "HO604")
    sentence = (
        f"Connection tracking{whose} is {share(table.count, table.max)} full: when it is, new connections are dropped."
    )
    return LocalCause("conntrack", "possible", sentence, evidence, remedy, confirm, None, netns, "HO604")
