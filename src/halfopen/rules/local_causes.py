"""Why a connect from this host fails or is slow, before anything on the way or at the other end is blamed.

Used by ``halfopen doctor HOST:PORT`` and by ``halfopen probe --explain``: the one place that knows these causes. Pure
functions over one namespace of a snapshot, or over the same namespace twice, which makes counters speak.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.rules.causes import conntrack, packet_filter, peers, ports, retries, reverse_path, route, translation
from halfopen.rules.causes.way import Way
from halfopen.rules.path import Path
from halfopen.rules.space import Space

if TYPE_CHECKING:
    from halfopen.model.cause import CauseKind, LocalCause, Verdict
    from halfopen.model.snapshot import NetNamespace

CHECKS = (
    ports.check,
    route.check,
    packet_filter.check,
    conntrack.check,
    reverse_path.check,
    peers.check,
    retries.check,
)

_VERDICTS: tuple[Verdict, ...] = ("cause", "possible", "unknown", "fact", "exonerated")

#: What the caller saw → which cause is looked at first among equals.
_FIRST: dict[str, tuple[CauseKind, ...]] = {
    "EADDRNOTAVAIL": ("ports",),
    "EADDRINUSE": ("ports",),
    "ENETUNREACH": ("route", "filter"),
    "EHOSTUNREACH": ("route", "filter"),
    "EPERM": ("filter",),
    "EACCES": ("filter", "route"),
    "ECONNREFUSED": ("filter",),
    "ETIMEDOUT": ("filter", "conntrack", "rp_filter", "peers", "retries"),
}
_ORDER: tuple[CauseKind, ...] = (
    "ports",
    "route",
    "filter",
    "conntrack",
    "rp_filter",
    "translation",
    "peers",
    "retries",
)


def local_causes(
    now: NetNamespace,
    destination: str,
    port: int,
    *,
    source: str | None = None,
    errno: str | None = None,
    syn_retries: int | None = None,
    before: NetNamespace | None = None,
    interval_s: float | None = None,
    established: bool = False,
    path: Path | None = None,
    lost: int = 1,
    icmp_from: str | None = None,
    mark: int = 0,
    interface: str | None = None,
) -> tuple[LocalCause, ...]:
    """Everything on this host that could stop a connect to ``destination``, the most likely first.

    Args:
        now: the namespace that the connect is made from.
        destination: the address (no name).
        port: its port.
        source: the local address, where it was chosen.
        errno: what connect() said, by name; orders what is equally likely. When the kernel sends a SYN again is told
            only where nothing came: without one, or with ``ETIMEDOUT``.
        syn_retries: the socket's ``TCP_SYNCNT``, where it has its own.
        before: the same namespace earlier; counters that moved since make a possible cause a certain one.
        interval_s: seconds between the two.
        established: whether the connect worked in the end.
        path: the namespaces of this host that the SYN comes through, where it is known.
        lost: SYNs to that address that something stopped: what counted fewer packets did not stop them.
        icmp_from: who sent the ICMP error that ended it, where one did.
        mark: ``SO_MARK`` of the socket.
        interface: the interface that the socket is bound to, where it is.
    """
    space = Space(now, before, interval_s)
    answered = errno not in {None, "ETIMEDOUT"}
    way = Way(
        destination,
        port,
        source,
        syn_retries,
        unanswered=not answered,
        established=established,
        errno=errno,
        path=path or Path(),
        lost=lost,
        icmp_from=icmp_from,
        mark=mark,
        interface=interface,
    )
    sent_on = translation.check(space, way)
    if sent_on is not None:
        # From there on the packets take the way to another address.
        way = replace(way, path=Path())
    found = [sent_on, *(check(space, way) for check in CHECKS if not (answered and check is retries.check))]
    first = _FIRST.get(errno or "ETIMEDOUT", ())
    order = {kind: index for index, kind in enumerate(dict.fromkeys((*first, *_ORDER)))}
    causes = [cause for cause in found if cause is not None]
    return tuple(sorted(causes, key=lambda cause: (_VERDICTS.index(cause.verdict), order[cause.kind])))
