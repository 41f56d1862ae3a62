"""``--explain``: what on this host could have stopped or slowed the connects that went wrong, or kept data from coming.

The causes are those of ``halfopen.rules.local_causes``, which the doctor uses too. Two snapshots of this network
namespace, before the first connect and after the last one, make counters speak.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.collect.taking import take
from halfopen.rules.context import Context
from halfopen.rules.local_causes import local_causes
from halfopen.rules.own_listener import own_listener
from halfopen.rules.path import path

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause
    from halfopen.model.probe import ProbeResult
    from halfopen.rules.space import Space

Place = tuple[str, str]
"""A target as it was asked, and one of its addresses."""


class Explainer:
    """Made before the first connect; sees every result; gives the causes at the end.

    Reads this host's own network namespace twice: some 60 ms each. What may not be read without root is a cause with
    the verdict ``unknown``.

    Args:
        syn_retries: ``TCP_SYNCNT`` of the connects, where they have their own.
    """

    def __init__(self, syn_retries: int | None = None) -> None:
        self._syn_retries = syn_retries
        self._before = take(netns="own")
        self._troubles: dict[Place, ProbeResult] = {}
        self._syns: dict[Place, _Syns] = {}

    def add(self, result: ProbeResult) -> None:
        """Remember the worst connect to each address, the first of its kind."""
        place = (str(result.target), result.handshake.server)
        self._syns.setdefault(place, _Syns()).add(result)
        known = self._troubles.get(place)
        if (badness := _badness(result)) and (known is None or badness > _badness(known)):
            self._troubles[place] = result

    def causes(self) -> dict[Place, tuple[LocalCause, ...]]:
        """{place: causes, the most likely first} of every address where something went wrong.

        Where every handshake went well and only data did not come, what the target's listener says, where that is here.
        """
        if not self._troubles:
            return {}
        after = take(netns="own")
        context = Context.of(after, self._before)
        space = next((space for space in context.spaces if space.now.own), None)
        if space is None:
            return {}
        return {
            place: self._explained(result, self._syns[place], space, context)
            for place, result in self._troubles.items()
        }

    def _explained(self, result: ProbeResult, syns: _Syns, space: Space, context: Context) -> tuple[LocalCause, ...]:
        row = result.handshake
        listener = own_listener(space, result)
        first = () if listener is None else (listener,)
        if _badness(result) == _UNANSWERED:
            return first
        return first + local_causes(
            space.now,
            row.server,
            row.server_port,
            source=row.client,
            errno=row.errno,
            syn_retries=self._syn_retries,
            before=space.before,
            interval_s=space.interval_s,
            established=result.established,
            path=path(context, space, row.server, syns.sent),
            lost=max(1, syns.lost),
            icmp_from=row.icmp_from,
        )


@dataclass(slots=True)
class _Syns:
    """SYNs to one address."""

    sent: int = 0
    lost: int = 0
    """All of connects that failed, all but the last of the others."""

    def add(self, result: ProbeResult) -> None:
        sent = result.handshake.syn_sent or 0
        self.sent += sent
        self.lost += result.syn_retransmissions if result.established else sent


_UNANSWERED, _SLOW, _FAILED = 1, 2, 3


def _badness(result: ProbeResult) -> int:
    """How much there is to explain: 0 for a connect that did all that it was to."""
    if not result.established:
        return _FAILED
    if result.syn_retransmissions:
        return _SLOW
    return 0 if result.satisfied else _UNANSWERED
