"""Takes a snapshot: finds the network namespaces, sends helper threads through them, and puts together what they bring.

**Architecture Invariant:** nothing here raises for what the host is like. A namespace that hangs, vanished, or may not
be entered is a gap in the document, and so is whatever a collector could not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from halfopen.collect.entering import GONE, Visitor
from halfopen.collect.framework import Context, ContextT, Findings, NamespaceContext, reason, run
from halfopen.collect.host import HOST
from halfopen.collect.host_wide import HostWide
from halfopen.collect.mounts import MOUNT_NAMESPACES
from halfopen.collect.names import name_all
from halfopen.collect.netns import NETNS
from halfopen.collect.places import find
from halfopen.collect.private_proc import PrivateProc
from halfopen.collect.process_table import which, why_refused
from halfopen.collect.roots import Roots
from halfopen.collect.text import readable_name
from halfopen.collect.workers import Limits, NotDone, Pool
from halfopen.errors import UsageError
from halfopen.model.quantity import plural
from halfopen.model.snapshot import NetNamespace, Snapshot, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from halfopen.collect.framework import Collector
    from halfopen.collect.places import Place, Places

Which = Literal["all", "own"]

UNLISTED = "network namespaces of other users' processes"
GAPS_NAMED = 20
"""Namespaces with one and the same trouble that are named each; of more, only the number is told."""


MANY = 50
"""Namespaces of which every setting is read: half a second's work. Of more, only those are that rules look at."""


def take(
    only: Collection[str] | None = None,
    netns: Which = "all",
    roots: Roots | None = None,
    limits: Limits | None = None,
) -> Snapshot:
    """The host as it is now.

    Args:
        only: names of the collectors to run (``sockets``, ``counters``…); None for all. Facts of the host are always
            there.
        netns: every network namespace, or the reader's own only, which needs no root.
        roots: where the host's files lie; None for this host.
        limits: for the visits of namespaces.

    Raises:
        UsageError: there is no collector of such a name.
    """
    host_collectors, netns_collectors = _chosen(HOST, only), _chosen(NETNS, only)
    if only is not None:
        _check(only)
    shared = HostWide(roots or Roots())
    places = _places(shared, netns)
    shared.many = len(places.places) > MANY
    gaps = name_all(places.places, shared.roots)
    if shared.many and any(collector.name == "sysctls" for collector in netns_collectors):
        gaps.append(_brief(len(places.places)))
    if netns == "all":
        gaps += _unseen(places, shared.roots)
    whole = run(host_collectors, Context(shared))
    visited = _visit(places.places if netns_collectors else [], netns_collectors, shared, limits or Limits())
    if any(collector.name == "sockets" for collector in netns_collectors) and shared.processes.gap is not None:
        gaps.append(shared.processes.gap)
    return _assembled(shared, whole, visited, gaps)


def names() -> tuple[str, ...]:
    """Every collector, in the order in which they run."""
    return (*(collector.name for collector in HOST), *(collector.name for collector in NETNS))


def _check(only: Collection[str]) -> None:
    if unknown := sorted(set(only) - set(names())):
        raise UsageError("there is no collector", unknown[0], f"there are {', '.join(names())}")


def _chosen(collectors: Iterable[Collector[ContextT]], only: Collection[str] | None) -> list[Collector[ContextT]]:
    return [each for each in collectors if only is None or each.name in only or each.name == "facts"]


def _places(shared: HostWide, netns: Which) -> Places:
    if netns == "all":
        return find(shared.roots, shared.processes.doors)
    places = find(shared.roots)
    places.places = [place for place in places.places if place.own]
    return places


def _unseen(places: Places, roots: Roots) -> Iterator[Unavailable]:
    """Where there may be namespaces that were not found."""
    if places.hidden:
        yield _unfound(f"network namespaces of {which(places.hidden)}", why_refused(roots))
    if places.unread_mounts:
        why = f"of more than {MOUNT_NAMESPACES} mount namespaces, only so many were looked at"
        yield _unfound(f"network namespaces mounted in {plural(places.unread_mounts, 'mount namespace')}", why)
    if places.hides_others:
        yield _unfound(UNLISTED, f"{roots.proc} does not list them to this user (hidepid)")
    if places.blind:
        yield _unfound("other network namespaces", f"{roots.proc} does not show them")


def _unfound(what: str, why: str) -> Unavailable:
    return Unavailable(what, why, blinds=what)


def _brief(namespaces: int) -> Unavailable:
    what = "most settings of network namespaces but the host's"
    return Unavailable(what, f"there are {namespaces} of them: only what rules look at was read")


# --- the visits -------------------------------------------------------------------------------------------------------

Visited = list[tuple["Place", "Findings | NotDone"]]


def _visit(
    places: Sequence[Place], collectors: Sequence[Collector[NamespaceContext]], shared: HostWide, limits: Limits
) -> Visited:
    own = next((place.inode for place in places if place.own), None)

    def begin() -> Callable[[Place], Findings | NotDone]:
        visitor = Visitor(shared.roots, own)
        private = PrivateProc(shared.roots) if shared.many else None

        def visit(place: Place) -> Findings | NotDone:
            try:
                visitor.enter(place)
            except Exception as error:  # noqa: BLE001  (a gap, whatever it was)
                return NotDone(reason(error))
            settings = None if private is None else private.settings()
            return run(collectors, NamespaceContext(shared, place=place, settings_root=settings), place.name)

        return visit

    answers = {id(place): result for place, result in Pool(places, begin, limits).results()}
    late = NotDone(f"there was no time left within {limits.all_s:g} s")  # taken up by a thread when all was over
    return [(place, answers.get(id(place), late)) for place in places]


# --- the document -----------------------------------------------------------------------------------------------------


def _assembled(shared: HostWide, whole: Findings, visited: Visited, gaps: list[Unavailable]) -> Snapshot:
    from halfopen._core import VERSION

    runs, gaps = list(whole.runs), [*gaps, *whole.gaps]
    for _place, result in visited:
        if isinstance(result, Findings):
            runs += result.runs
            gaps += result.gaps
    return Snapshot(
        taken_at_ns=shared.clock.realtime_ns,
        monotonic_ns=shared.clock.monotonic_ns,
        halfopen=VERSION,
        netns=tuple(_namespace(place, result) for place, result in visited if not _is_gone(result)),
        unavailable=(*_closed(visited), *gaps),
        collectors=tuple(runs),
        **whole.values,
    )


def _namespace(place: Place, result: Findings | NotDone) -> NetNamespace:
    return NetNamespace(
        name=place.name,
        inode=place.inode,
        kind=place.kind,  # type: ignore[arg-type]  # names.py gives no other
        pid=place.pids[0] if place.pids else None,
        path=None if place.where is None else readable_name(place.where),
        own=place.own,
        **(result.values if isinstance(result, Findings) else {}),
    )


def _is_gone(result: Findings | NotDone) -> bool:
    """Whether it ended before it was entered: then there is no such namespace, and nothing in it is unseen."""
    return isinstance(result, NotDone) and result.why == GONE


def _closed(visited: Visited) -> list[Unavailable]:
    """Namespaces of which nothing could be read."""
    by_reason: dict[str, list[str]] = {}
    for place, result in visited:
        if isinstance(result, NotDone):
            by_reason.setdefault(result.why, []).append(place.name)
    gaps = []
    for why, found in by_reason.items():
        if len(found) > GAPS_NAMED:
            gaps.append(Unavailable(f"{len(found)} network namespaces", why))
        else:
            gaps += [Unavailable("everything in this network namespace", why, name) for name in found]
    return gaps
