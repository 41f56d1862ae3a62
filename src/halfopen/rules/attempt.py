"""What the connects to a target tell of this host: the causes of their failure, and the listener that they came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.rules.connect_causes import Syns, connect_causes, flow_of
from halfopen.rules.growth import Growth
from halfopen.rules.path import Path, path
from halfopen.rules.routing import is_own, route_to
from halfopen.rules.serving import serving
from halfopen.rules.unrouted import without_unrouted

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause
    from halfopen.model.finding import Subject
    from halfopen.model.probe import ProbeResult
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space


@dataclass(frozen=True, slots=True)
class Attempt:
    """The connect that stands for what went wrong: the first that failed, else the first that lost a SYN, or any."""

    causes: tuple[LocalCause, ...] = ()
    way: Path = Path()  # noqa: RUF009  (it is frozen)
    gateway: str | None = None
    """The router that its packets are handed to."""
    accused_by_address: tuple[tuple[str, LocalCause | None], ...] = ()
    """Of each address that fails, what on this host makes it fail, where that is certain."""

    @classmethod
    def of(cls, results: tuple[ProbeResult, ...], context: Context, here: Space | None) -> Attempt:
        """From the connects, in the namespace that they were made from."""
        results, _ = without_unrouted(results)
        if here is None or not results:
            return cls()
        worst = _worst(results)
        way, causes = _examine(worst, results, context, here)
        found = route_to(here.now, flow_of(worst))
        known = found.route if found.is_sure else None
        accused = {worst.handshake.server: _accused(causes)}
        for result in results:
            if not result.established and result.handshake.server not in accused:
                rows = tuple(one for one in results if one.handshake.server == result.handshake.server)
                accused[result.handshake.server] = _accused(_examine(_worst(rows), rows, context, here)[1])
        if worst.established:
            accused = {}
        return cls(causes, way, None if known is None else known.gateway, tuple(accused.items()))

    @property
    def sent_on(self) -> bool:
        """Whether a translation sends it to somebody else than it was meant for."""
        return any(cause.kind == "translation" for cause in self.causes)


def _examine(
    result: ProbeResult, results: tuple[ProbeResult, ...], context: Context, here: Space
) -> tuple[Path, tuple[LocalCause, ...]]:
    """The way of one connect, and what on it may stop such packets."""
    address = result.handshake.server
    syns = Syns.of(one for one in results if one.handshake.server == address)
    way = path(context, here, flow_of(result), syns.sent)
    return way, connect_causes(result, syns, way, here)


def _accused(causes: tuple[LocalCause, ...]) -> LocalCause | None:
    return next((cause for cause in causes if cause.verdict == "cause"), None)


def _worst(results: tuple[ProbeResult, ...]) -> ProbeResult:
    """One that an ICMP error ended tells more than one that had no answer."""
    bad = [one for one in results if not one.established] or [one for one in results if one.syn_retransmissions]
    told = [one for one in bad if one.handshake.icmp_type is not None]
    return (told or bad or list(results))[0]


@dataclass(frozen=True, slots=True)
class Served:
    """The namespace of this host that has an address of the target, and what listens there."""

    there: Space | None = None
    listening: Listening | None = None
    address: str | None = None
    """Which of the target's addresses it has: one that fails, where one does."""

    @classmethod
    def of(cls, here: Space | None, attempt: Attempt, addresses: tuple[str, ...], port: int) -> Served:
        """Nothing where the target is another host, or where connects to it are sent on."""
        there = attempt.way.there
        if here is None or attempt.sent_on:
            return cls()
        if there is None:
            there = next((here for address in addresses if is_own(here.now, address)), None)
        if there is None:
            return cls()
        wanted = (*(server for server, _ in attempt.accused_by_address), *addresses)
        address = next((address for address in wanted if is_own(there.now, address)), None)
        return cls(there, None if address is None else serving(there, address, port), address)

    @property
    def drops(self) -> Growth | None:
        """Of all sockets of its group together, while the target was connected to."""
        if self.there is None or self.listening is None:
            return None
        grown = [self.there.drops(*member) for member in self.listening.members]
        known = [one for one in grown if one is not None]
        if len(known) < len(grown) or not known:
            return None
        return Growth(sum(one.count for one in known), known[0].seconds, all(one.measured for one in known))

    def has(self, subject: Subject) -> bool:
        """Whether a finding's subject is that listener."""
        if self.listening is None or self.there is None:
            return False
        first = self.listening.first
        return (subject.netns, subject.address, subject.port) == (self.there.name, first.address, first.port)
