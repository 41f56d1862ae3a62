"""Connection tracking: is there room for one more?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence
from halfopen.model.quantity import plural, share

if TYPE_CHECKING:
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space

#: Nearly full: what is tracked changes by more than that within seconds.
CONNTRACK_SHARE = 0.95


def check(space: Space, _way: Way) -> LocalCause | None:
    """Whether connection tracking has room for one more."""
    table = space.now.conntrack
    if table is None or table.max is None:
        return None
    evidence = (
        Evidence("connections tracked", table.count, "entries", "/proc/sys/net/netfilter/nf_conntrack_count"),
        Evidence("the most", table.max, "entries", "/proc/sys/net/netfilter/nf_conntrack_max"),
    )
    earlier = None if space.before is None else space.before.conntrack
    dropped = table.stats.get("drop", 0) - earlier.stats.get("drop", 0) if earlier is not None else 0
    if dropped > 0:
        sentence = f"Connection tracking is full, and dropped {plural(dropped, 'packet')} in the meantime."
        return LocalCause("conntrack", "cause", sentence, evidence, confirm=space.command("conntrack -S"))
    if table.count >= CONNTRACK_SHARE * table.max:
        sentence = (
            f"Connection tracking is {share(table.count, table.max)} full: when it is, new connections are dropped."
        )
        return LocalCause("conntrack", "possible", sentence, evidence, confirm=space.command("conntrack -S"))
    return LocalCause("conntrack", "exonerated", "Connection tracking has room.", evidence)
