"""Local ports: are any left for this destination?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.quantity import endpoint, grouped, share
from halfopen.rules.more_ports import more_ports
from halfopen.rules.ports import headroom, port_evidence

if TYPE_CHECKING:
    from halfopen.model.cause import Verdict
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space

#: Half of the range: from there on connect() searches the other parity, at a hundred times the cost (fact F52).
CLIFF_SHARE = 0.5


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether a local port is left for this destination."""
    if space.port_range is None or space.now.sockets is None:
        return LocalCause("ports", "unknown", "How many local ports are left could not be read.")
    rooms = [room for row in way.towards(space) if (room := headroom(space, row)) is not None]
    if not rooms:
        return LocalCause("ports", "exonerated", "Local ports are not the limit: none is taken for this destination.")
    room = max(rooms, key=lambda one: one.share)
    taken = (
        f"{share(room.in_use, room.available)} of the local ports are taken for {endpoint(way.destination, way.port)}"
    )
    if room.left == 0:
        verdict: Verdict = "cause"
        sentence = f"No local port is left: all {grouped(room.available)} are taken for this destination."
    elif room.share >= CLIFF_SHARE:
        verdict, sentence = "possible", f"{taken}: connect() has to search for a free one, and is slow."
    else:
        return LocalCause(
            "ports", "exonerated", f"Local ports are not the limit: {taken}.", tuple(port_evidence(space, room))
        )
    remedy = more_ports(space, room)
    confirm = space.command(f"ss -Htan 'dst {way.destination} and dport = :{way.port}' | wc -l")
    rule = "HO301" if room.left == 0 else "HO302"
    return LocalCause("ports", verdict, sentence, tuple(port_evidence(space, room)), remedy, confirm, rule=rule)
