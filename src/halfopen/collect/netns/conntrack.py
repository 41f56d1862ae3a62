"""Connection tracking of one namespace: ``/proc/sys/net/netfilter`` and ``/proc/net/stat/nf_conntrack`` (facts 79-82).

The count is the namespace's, the limit is one for all. Without the module there is no table, and that is no gap.
"""

from __future__ import annotations

from pathlib import Path

from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.per_cpu import parse_summed
from halfopen.collect.text import read_text
from halfopen.model.network import Conntrack

_TIMEOUT = "nf_conntrack_tcp_timeout_"


def collect(context: NamespaceContext) -> Conntrack | None:
    """Read it; None when connections are not tracked here."""
    settings = context.host.roots.proc / "sys/net/netfilter"
    count = _number(settings / "nf_conntrack_count")
    if count is None:
        return None
    return Conntrack(
        count=count,
        max=_number(settings / "nf_conntrack_max"),
        buckets=_number(settings / "nf_conntrack_buckets"),
        stats=_stats(Path(context.net) / "stat/nf_conntrack"),
        timeouts_s=_timeouts(settings),
    )


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
