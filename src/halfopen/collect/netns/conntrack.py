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
_TIMEOUT = "nf_conntrack_tcp_timeout_"


def collect(context: NamespaceContext) -> Conntrack | None:
    """Read it; None when connections are not tracked here."""
    settings = context.host.roots.proc / "sys/net/netfilter"
    count = _number(settings / "nf_conntrack_count")
    if count is None:
        return None
    most = _number(settings / "nf_conntrack_max")
    return Conntrack(
        count=count,
        max=most,
        assured=_assured(context) if most and count * 2 >= most else None,
        buckets=_number(settings / "nf_conntrack_buckets"),
        stats=_stats(Path(context.net) / "stat/nf_conntrack"),
        timeouts_s=_timeouts(settings),
    )


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


def _timeouts(settings: Path) -> dict[str, int]:
    found = ((path.name.removeprefix(_TIMEOUT), _number(path)) for path in settings.glob(f"{_TIMEOUT}*"))
    return dict(sorted((name, seconds) for name, seconds in found if seconds is not None))


def _stats(path: Path) -> dict[str, int]:
    try:
        return parse_summed(read_text(path))
    except FileNotFoundError:  # CONFIG_NF_CONNTRACK_PROCFS is off
        return {}


def _number(path: Path) -> int | None:
    try:
        return int(read_text(path))
    except (FileNotFoundError, ValueError):
        return None


COLLECTOR = Collector("conntrack", "conntrack", "connection tracking", collect)
