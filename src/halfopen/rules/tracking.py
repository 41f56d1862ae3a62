"""Connection tracking as rules see it: how full, what was dropped, and how to make room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.rules.space import Space

MAX = "net.netfilter.nf_conntrack_max"
#: What is tracked changes by more than the rest within seconds.
NEARLY = 0.9
LOOSE = "net.netfilter.nf_conntrack_tcp_loose"


def dropped(space: Space, name: str = "drop") -> int | None:
    """Packets dropped for want of an entry between two snapshots; None when that is not known."""
    now, before = space.now.conntrack, None if space.before is None else space.before.conntrack
    if now is None or before is None or name not in now.stats or name not in before.stats:
        return None
    return max(0, now.stats[name] - before.stats[name])


def overflowing(space: Space) -> bool:
    """Whether connections are dropped: seen in the interval, or full to the last entry with all of them kept."""
    table, lost = space.now.conntrack, dropped(space)
    if table is None or not table.max:
        return False
    if lost and nearly_full(space):
        return True
    # Where the entries could not be read, an interval without drops says that they give way.
    kept = table.assured if table.assured is not None or lost is not None else table.count
    return table.count >= table.max and kept is not None and kept >= table.max


def nearly_full(space: Space) -> bool:
    """Whether the table was full, or within seconds of it, at one of the two moments.

    A packet that tracking drops while there is more room was dropped for another reason: two of them raced for one
    entry, as requests to a name server do, or a chain of the table was too long.
    """
    tables = (space.now.conntrack, None if space.before is None else space.before.conntrack)
    return any(table is not None and table.max and table.count >= NEARLY * table.max for table in tables)


def stays(space: Space) -> int | None:
    """Entries that no new connection can push out, as far as is known: all of them, where they could not be read."""
    table = space.now.conntrack
    return None if table is None else table.count if table.assured is None else table.assured


def conntrack_evidence(space: Space) -> Iterator[Evidence]:
    """Count, limit, what cannot be evicted, and what was dropped."""
    table = space.now.conntrack
    if table is None:
        return
    yield Evidence("connections tracked", table.count, "entries", "/proc/sys/net/netfilter/nf_conntrack_count")
    yield Evidence("the most", table.max, "entries", "/proc/sys/net/netfilter/nf_conntrack_max")
    if table.assured is not None:
        yield Evidence("of which cannot be evicted", table.assured, "entries", "/proc/net/nf_conntrack")
    for name, what in (("drop", "packets dropped"), ("early_drop", "entries evicted")):
        if (count := dropped(space, name)) is not None:
            yield Evidence(f"{what} in the interval", count, None, "/proc/net/stat/nf_conntrack")


def larger_table(space: Space) -> Remedy:
    """Room for more entries; the limit is one for all namespaces, and read-only in all but the first."""
    table = space.now.conntrack
    steps = ["Or track less: `notrack` for busy ports, a shorter nf_conntrack_tcp_timeout_established."]
    if space.now.kind != "host":
        return Remedy(f"Raise {MAX} on the host: it is one limit for all, and read-only here.", (), tuple(steps))
    want = 2 * (table.max if table is not None and table.max else 262144)
    steps.append("Write it into a file of sysctl.d, with nf_conntrack in /etc/modules-load.d, or it is lost at boot.")
    return Remedy(f"Raise {MAX}; an entry takes 256 bytes.", (space.change(MAX, str(want)),), tuple(steps))
