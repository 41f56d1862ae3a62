"""Keys that files still carry and that Linux has no more, or never had."""

from __future__ import annotations

from dataclasses import dataclass

from halfopen.knowledge.kernel_version import KernelVersion

CONNTRACK_UNTIL = KernelVersion(4, 8)
"""The last kernel with the old names of connection tracking (commit adf0516845bc removed them)."""
_CONNTRACK = "net.ipv4.netfilter.ip_conntrack_"

#: Known of documents of Linux 2.6 and 3; absent on 6.18.
_OLD = frozenset(
    [
        "net.ipv4.inet_peer_gc_maxtime",
        "net.ipv4.inet_peer_gc_mintime",
        "net.ipv4.route.secret_interval",
        "net.ipv4.rt_cache_rebuild_count",
        "net.ipv4.tcp_abc",
        "net.ipv4.tcp_bic",
        "net.ipv4.tcp_bic_fast_convergence",
        "net.ipv4.tcp_bic_low_window",
        "net.ipv4.tcp_cookie_size",
        "net.ipv4.tcp_default_win_scale",
        "net.ipv4.tcp_dma_copybreak",
        "net.ipv4.tcp_frto_response",
        "net.ipv4.tcp_max_ssthresh",
        "net.ipv4.tcp_vegas_cong_avoid",
        "net.ipv4.tcp_westwood",
    ]
)
_OLD_UNTIL = KernelVersion(3, 19)
_NEVER = {"net.ipv4.tcp_nopush": "it is an option of sockets of BSD, and was never a setting of Linux"}


@dataclass(frozen=True, slots=True)
class Gone:
    """Why a key is not there."""

    why: str
    until: KernelVersion | None = None
    """The last kernel that had it; None: none."""
    renamed: str | None = None
    """Its name of today."""


def gone(key: str) -> Gone | None:
    """What became of ``key``; None where nothing is known of it."""
    if key in _NEVER:
        return Gone(_NEVER[key])
    if key in _OLD:
        return Gone("it was removed before Linux 4.0", _OLD_UNTIL)
    if key.startswith(_CONNTRACK) or key == "net.ipv4.ip_conntrack_max":
        name = "max" if key.endswith("conntrack_max") else key.removeprefix(_CONNTRACK)
        new = f"net.netfilter.nf_conntrack_{name}"
        return Gone(f"the old name was removed after Linux {CONNTRACK_UNTIL}", CONNTRACK_UNTIL, new)
    return None
