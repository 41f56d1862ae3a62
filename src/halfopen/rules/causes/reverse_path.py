"""Reverse path filtering: does it drop the SYN, or its answer, here or wherever they come through?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.quantity import plural
from halfopen.rules.causes.places import in_namespace, of_namespace, worst
from halfopen.rules.policy_routing import Flow
from halfopen.rules.reverse_path import repair
from halfopen.rules.routing import address_of, route_to

if TYPE_CHECKING:
    from halfopen.model.cause import Stopped
    from halfopen.model.snapshot import NetNamespace
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether reverse path filtering drops the SYN or its answer."""
    parsed = address_of(way.destination)
    if parsed is None or parsed.version == 6:
        return None  # IPv6 has no such setting
    return worst(space, way, lambda place: _at(place, way))


def _at(space: Space, way: Way) -> LocalCause | None:
    away = way.destination if space.now.own else way.source
    # The filter asks for the route of an answer: its rules see the addresses the other way round.
    own = way.source if space.now.own else way.destination
    found = None if away is None else route_to(space.now, Flow(away, own, forwarded=True))
    device = None if found is None or found.route is None or not found.is_sure else found.route.interface
    strict = rp_filter_mode(space, device)
    dropped = space.grown("IPReversePathFilter") if space.before is not None else 0
    evidence = tuple(
        item for item in (space.counted("IPReversePathFilter", "packets dropped by it"),) if item is not None
    )
    confirm = space.command("nstat -az TcpExtIPReversePathFilter")
    netns = None if space.now.own else space.name
    what = "answers" if space.now.own else "SYNs"
    lost = way.answers_lost if space.now.own else way.lost
    if dropped >= max(1, lost) and not way.established:
        sentence = (
            f"Reverse path filtering{of_namespace(space)} dropped {plural(dropped, 'packet')} in the meantime: {what} "
            "came in over another interface than packets to their sender leave by."
        )
        stops: Stopped = "answer" if space.now.own else "syn_in" if space is way.path.there else "syn_through"
        return LocalCause("rp_filter", "cause", sentence, evidence, repair(space), confirm, stops, netns, "HO602")
    if strict is None:
        return None
    still = space.before is not None and not dropped
    if strict == 1 and len(_routed_interfaces(space.now)) > 1 and not way.established:
        sentence = (
            f"Reverse path filtering is strict{in_namespace(space)}: {what} that do not come in over "
            f"{device or 'the interface that packets to their sender leave by'} are dropped."
        )
        # It also drops the ARP requests of such senders, and does not count these: nothing is to be done on suspicion.
        remedy = None if still else repair(space)
        return LocalCause("rp_filter", "possible", sentence, evidence, remedy, confirm, None, netns, "HO602")
    return LocalCause("rp_filter", "exonerated", "Reverse path filtering drops nothing.", evidence)


def rp_filter_mode(space: Space, device: str | None) -> int | None:
    """The mode in force on an interface: the larger of its own and that of all (fact F83)."""
    values = [space.sysctl(f"net.ipv4.conf.{name}.rp_filter") for name in ("all", device) if name is not None]
    known = [value for value in values if value is not None]
    return max(known) if known else None


def _routed_interfaces(namespace: NetNamespace) -> set[str]:
    """Interfaces that lead elsewhere."""
    rows = namespace.routes or ()
    return {row.interface for row in rows if row.interface and row.interface != "lo" and row.table != 255}
