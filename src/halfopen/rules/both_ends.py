"""Connects of this host to a listener of this host: one trouble, that both ends show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.routing import address_of, is_own
from halfopen.rules.serving import serving

if TYPE_CHECKING:
    from halfopen.model.sockets import Destination
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space


def served_here(context: Context, space: Space, destination: Destination) -> Listening | None:
    """The listener of this host that a destination of ``space`` leads to; None where that is not known.

    Its own address is its own; another namespace's it is only where that one alone has it.
    """
    place = _place(context, space, destination.destination)
    return None if place is None else serving(place, destination.destination, destination.port)


def _place(context: Context, space: Space, address: str) -> Space | None:
    if is_own(space.now, address):
        return space
    parsed = address_of(address)
    if parsed is None or parsed.is_loopback:
        return None
    found = [other for other in context.spaces if is_own(other.now, address)]
    return found[0] if len(found) == 1 else None


def waiting_here(context: Context, listening: Listening) -> int:
    """Connects of this host to that listener whose SYN was sent again."""
    return sum(
        destination.retransmitting
        for space in context.spaces
        for destination in space.destinations
        if destination.retransmitting and served_here(context, space, destination) is listening
    )
