"""From where to where: what a connect is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.sockets import Destination
    from halfopen.rules.space import Space


@dataclass(frozen=True, slots=True)
class Way:
    """A connect's ends."""

    destination: str
    """The address."""
    port: int
    source: str | None = None
    """The local address, where it was chosen."""
    syn_retries: int | None = None
    """The socket's ``TCP_SYNCNT``, where it has its own."""
    unanswered: bool = True
    """Nothing came back: an answer may have been dropped here."""
    established: bool = False
    """It worked in the end: packets find their way in both directions."""
    errno: str | None = None
    """What connect() said, by name; None: nothing within its patience, or it worked."""
    there: Space | None = None
    """The network namespace of this host that has the destination's address; None: another host, as far as is known."""

    def towards(self, space: Space) -> list[Destination]:
        """This host's connections that go the same way."""
        return [
            row
            for row in space.destinations
            if (row.destination, row.port) == (self.destination, self.port) and self.source in {None, row.source}
        ]
