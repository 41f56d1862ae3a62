"""Destinations as subjects of findings, and what is left for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import endpoint
from halfopen.rules.ports import headroom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Subject
    from halfopen.model.sockets import Destination
    from halfopen.rules.context import Context
    from halfopen.rules.ports import Headroom
    from halfopen.rules.space import Space


def destination_subject(space: Space, destination: Destination) -> Subject:
    """``10.0.0.1 → 10.0.0.5:5432 (haproxy)``."""
    owner = destination.owners[0] if destination.owners else None
    name = f"{destination.source} → {endpoint(destination.destination, destination.port)}"
    who = {"process": owner.comm, "pid": owner.pid, "unit": owner.unit, "container": owner.container} if owner else {}
    where = {"address": destination.destination, "port": destination.port}
    return space.subject("destination", f"{name} ({owner.comm})" if owner else name, **where, **who)


def rooms(context: Context) -> Iterator[tuple[Space, Headroom, Subject]]:
    """Every destination of every namespace whose headroom can be computed, with its subject."""
    for space in context.spaces:
        for destination in space.destinations:
            room = headroom(space, destination)
            if room is not None:
                yield space, room, destination_subject(space, destination)
