"""Reverse path filtering: are the answers dropped?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.quantity import plural
from halfopen.rules.routing import address_of, route_to

if TYPE_CHECKING:
    from halfopen.model.snapshot import NetNamespace
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether reverse path filtering drops the answers."""
    parsed = address_of(way.destination)
    if parsed is None or parsed.version == 6:
        return None  # IPv6 has no such setting
    found = route_to(space.now, way.destination)
    device = found.interface if found is not None else None
    strict = rp_filter_mode(space, device)
    dropped = space.grown("IPReversePathFilter")
    evidence = tuple(
        item for item in (space.counted("IPReversePathFilter", "packets dropped by it"),) if item is not None
    )
    confirm = space.command("nstat -az TcpExtIPReversePathFilter")
    if space.before is not None and dropped:
        sentence = (
            f"Reverse path filtering dropped {plural(dropped, 'packet')} in the meantime: answers came in elsewhere."
        )
        return LocalCause("rp_filter", "cause", sentence, evidence, confirm=confirm)
    if strict is None:
        return None
    if strict == 1 and len(_routed_interfaces(space.now)) > 1:
        sentence = f"Reverse path filtering is strict: an answer that does not come in over {device} is dropped."
        return LocalCause("rp_filter", "possible", sentence, evidence, confirm=confirm)
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
