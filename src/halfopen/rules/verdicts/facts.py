"""What a verdict on a target is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause
    from halfopen.model.probe import ProbeResult
    from halfopen.model.target import Target
    from halfopen.rules.growth import Growth
    from halfopen.rules.listening import Listening


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out."""

    target: Target
    results: tuple[ProbeResult, ...] = ()
    causes: tuple[LocalCause, ...] = ()
    own: bool = False
    """The target is this host, or another network namespace of it."""
    place: str | None = None
    """That namespace's name."""
    listening: Listening | None = None
    """Its listener, where it is this host and there is one."""
    drops: Growth | None = None
    """Drops at that listener while it was probed."""
    elsewhere: tuple[str, ...] = ()
    """Listeners on the same port that the target's address does not reach."""
    unresolved: str | None = None
    """Why the name stands for no address."""
    answers: tuple[str, ...] = field(default=())
    """Sentences on what the server did after the handshake."""

    @property
    def established(self) -> list[ProbeResult]:
        """Connects that worked."""
        return [result for result in self.results if result.established]

    @property
    def failed(self) -> list[ProbeResult]:
        """Connects that did not."""
        return [result for result in self.results if not result.established]
