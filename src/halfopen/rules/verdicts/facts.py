"""What a verdict on a target is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause
    from halfopen.model.finding import Finding
    from halfopen.model.probe import ProbeResult
    from halfopen.model.target import Target
    from halfopen.model.verdict import Packets
    from halfopen.rules.growth import Growth
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out."""

    target: Target
    results: tuple[ProbeResult, ...] = ()
    causes: tuple[LocalCause, ...] = ()
    accused_by_address: tuple[tuple[str, LocalCause | None], ...] = ()
    """Of each address that fails, what on this host makes it fail; None: nothing that is certain."""
    own: bool = False
    """The target is this host, or another network namespace of it."""
    there: Space | None = None
    """That namespace, where the target is one of this host's."""
    address: str | None = None
    """Which of the target's addresses that namespace has."""
    listening: Listening | None = None
    """Its listener, where it is this host and there is one."""
    drops: Growth | None = None
    """Drops at that listener while it was probed."""
    findings: tuple[Finding, ...] = ()
    """The host's findings that concern the target, the worst first."""
    unresolved: str | None = None
    """Why the name stands for no address."""
    elsewhere: tuple[str, ...] = ()
    """What listens on that port in other network namespaces of this host."""
    answers: tuple[str, ...] = field(default=())
    """Sentences on what the server did after the handshake."""
    gateway: str | None = None
    """The router that packets to the first address that fails are handed to; None: it is on the link, or not known."""
    packets: Packets | None = None
    """What a capture of the connects showed."""

    @property
    def sockets_unread(self) -> bool:
        """The target is this host, and which listeners there are could not be read: then none is missing."""
        return self.there is not None and self.there.now.sockets is None

    @property
    def place(self) -> str | None:
        """The name of the target's namespace, where that is not the one that connects."""
        return None if self.there is None or self.there.now.own else self.there.name

    @property
    def where(self) -> str:
        """«this host», «network namespace blue of this host»."""
        return "this host" if self.place is None else f"network namespace {self.place} of this host"

    @property
    def established(self) -> list[ProbeResult]:
        """Connects that worked."""
        return [result for result in self.results if result.established]

    @property
    def failed(self) -> list[ProbeResult]:
        """Connects that did not."""
        return [result for result in self.results if not result.established]

    @property
    def silent(self) -> bool:
        """Whether some failed, and each of these for want of any answer."""
        return bool(self.failed) and all(result.ending == "timeout" for result in self.failed)

    @property
    def accused(self) -> list[LocalCause]:
        """What on this host makes them fail, for certain."""
        return [cause for cause in self.causes if cause.verdict == "cause"]

    @property
    def suspects(self) -> list[LocalCause]:
        """What on this host may make them fail: a packet that is stopped, not one that is only late."""
        kinds = {"filter", "conntrack", "rp_filter", "route"}
        return [cause for cause in self.causes if cause.verdict == "possible" and cause.kind in kinds]

    @property
    def sent_on(self) -> LocalCause | None:
        """The translation that sends what is meant for the target on to somebody else."""
        return next((cause for cause in self.causes if cause.kind == "translation"), None)

    def finding(self, *codes: str) -> Finding | None:
        """The first of these rules' findings."""
        return next((one for one in self.findings if one.code in codes), None)
