"""From where to where: what a connect is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.rules.path import Path
from halfopen.rules.policy_routing import Flow

if TYPE_CHECKING:
    from halfopen.model.sockets import Destination
    from halfopen.rules.space import Space


#: A connect that waits for three seconds sends so many SYNs: at 0, 1 and 2 s.
SYNS_A_CONNECT = 3


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
    path: Path = Path()  # noqa: RUF009  (it is frozen)
    """The network namespaces of this host that the SYN comes through, as far as is known."""
    lost: int = 1
    """SYNs to that address that something stopped, as far as the connects tell: fewer packets are others'."""
    icmp_from: str | None = None
    """Who sent the ICMP error that ended it, where one did."""
    mark: int = 0
    """``SO_MARK`` of the socket."""
    interface: str | None = None
    """The interface that the socket is bound to, where it is."""

    @property
    def came_through(self) -> bool:
        """Every SYN was answered, and so was nothing stopped."""
        return self.established and not self.lost

    @property
    def answers_lost(self) -> int:
        """Answers to that address that something stopped: of a connect's SYNs a server answers one or more."""
        return -(-self.lost // SYNS_A_CONNECT)

    @property
    def flow(self) -> Flow:
        """The SYN, for the routes of the host that sends it."""
        return Flow(self.destination, self.source, self.port, mark=self.mark, interface=self.interface)

    def towards(self, space: Space) -> list[Destination]:
        """This host's connections that go the same way."""
        return [
            row
            for row in space.destinations
            if (row.destination, row.port) == (self.destination, self.port) and self.source in {None, row.source}
        ]
