"""``--explain``: what on this host could have stopped or slowed the connects that went wrong, or kept data from coming.

The causes are those of ``halfopen.rules.local_causes``, which the doctor uses too. Two snapshots of this network
namespace, before the first connect and after the last one, make counters speak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.collect.taking import take
from halfopen.rules.connect_causes import Asked, Syns, connect_causes, flow_of
from halfopen.rules.context import Context
from halfopen.rules.own_listener import own_listener
from halfopen.rules.path import path
from halfopen.rules.silent_neighbour import silent_neighbour

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
        asked: what the connects ask of their sockets.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._before = take(netns="own")
        self._troubles: dict[Place, ProbeResult] = {}
        self._syns: dict[Place, Syns] = {}

    def add(self, result: ProbeResult) -> None:
        """Remember the worst connect to each address, the first of its kind."""
        place = (str(result.target), result.handshake.server)
        self._syns.setdefault(place, Syns()).add(result)
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

    def _explained(self, result: ProbeResult, syns: Syns, space: Space, context: Context) -> tuple[LocalCause, ...]:
        listener = own_listener(space, result)
        first = () if listener is None else (listener,)
        if _badness(result) == _UNANSWERED:
            return first
        flow = flow_of(result, self._asked)
        found = connect_causes(result, syns, path(context, space, flow, syns.sent), space, self._asked)
        silent = silent_neighbour(space, result, flow, found)
        if silent is None or any(cause.verdict in {"cause", "possible"} for cause in found):
            return first + found
        # That there is a route is no reason to acquit it where it ends before a neighbour that is silent.
        return (*first, silent, *(cause for cause in found if cause.kind != "route"))


_UNANSWERED, _SLOW, _FAILED = 1, 2, 3


def _badness(result: ProbeResult) -> int:
    """How much there is to explain: 0 for a connect that did all that it was to."""
    if not result.established:
        return _FAILED
    if result.syn_retransmissions:
        return _SLOW
    return 0 if result.satisfied else _UNANSWERED
