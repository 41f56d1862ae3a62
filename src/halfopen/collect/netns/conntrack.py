"""Connection tracking of one namespace: ``/proc/sys/net/netfilter`` and ``/proc/net/stat/nf_conntrack`` (facts 79-82).

The count is the namespace's, the limit is one for all. Without the module there is no table, and that is no gap. The
entries themselves are counted only in a table that is half full or more, where it matters which of them the kernel
would give up: that takes CAP_NET_ADMIN, and about 1 s a million.
"""

from __future__ import annotations

from pathlib import Path

from halfopen._core import conntrack_counts
from halfopen.collect.framework import Collector, NamespaceContext, reason
from halfopen.collect.per_cpu import parse_summed
from halfopen.collect.text import read_text
from halfopen.errors import HalfopenError
from halfopen.model.network import Conntrack

ENTRIES_MAX = 1_000_000
TIMEOUTS = (
    "close",
    "close_wait",
    "established",
    "fin_wait",
    "last_ack",
    "max_retrans",
    "syn_recv",
    "syn_sent",
    "time_wait",
    "unacknowledged",
)
"""States with a timeout of their own (nf_conntrack_standalone.c)."""
_PREFIX = "netfilter/nf_conntrack_"
_NAMES = [f"{_PREFIX}{name}" for name in ("count", "max", "buckets", *(f"tcp_timeout_{state}" for state in TIMEOUTS))]


def collect(context: NamespaceContext) -> Conntrack | None:
    """Read it; None when connections are not tracked here."""
    found = {name.removeprefix(_PREFIX): int(text) for name, text in context.settings(*_NAMES).items() if _is_int(text)}
    count, most = found.get("count"), found.get("max")
    if count is None:
        return None
    return Conntrack(
        count=count,
        max=most,
        assured=_assured(context) if most and count * 2 >= most else None,
        buckets=found.get("buckets"),
        stats=_stats(Path(context.net) / "stat/nf_conntrack"),
        timeouts_s={state: found[key] for state in TIMEOUTS if (key := f"tcp_timeout_{state}") in found},
    )


def _is_int(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _assured(context: NamespaceContext) -> int | None:
    try:
        counts = conntrack_counts(ENTRIES_MAX)
    except (HalfopenError, OSError) as error:
        context.missing("which tracked connections are assured", reason(error))
        return None
    if counts is None:
        context.missing("which tracked connections are assured", f"there are more than {ENTRIES_MAX}")
        return None
    return counts["assured"]


def _stats(path: Path) -> dict[str, int]:
    try:
        return parse_summed(read_text(path))
    except FileNotFoundError:  # CONFIG_NF_CONNTRACK_PROCFS is off
        return {}


COLLECTOR = Collector("conntrack", "conntrack", "connection tracking", collect)
