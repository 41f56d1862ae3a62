"""``--explain``: what on this host could have stopped or slowed the connects that went wrong.

The causes are those of ``halfopen.rules.local_causes``, which the doctor uses too. Two snapshots of this network
namespace, before the first connect and after the last one, make counters speak.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.collect.taking import take
from halfopen.rules.local_causes import local_causes

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause
    from halfopen.model.probe import ProbeResult
    from halfopen.model.snapshot import NetNamespace, Snapshot

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

    def add(self, result: ProbeResult) -> None:
        """Remember the first connect to each address that failed or lost a SYN; one that failed counts for more."""
        place = (str(result.target), result.handshake.server)
        known = self._troubles.get(place)
        if result.established:
            worse = result.syn_retransmissions > 0 and known is None
        else:
            worse = known is None or known.established
        if worse:
            self._troubles[place] = result

    def causes(self) -> dict[Place, tuple[LocalCause, ...]]:
        """{place: causes, the most likely first} of every address where something went wrong."""
        if not self._troubles:
            return {}
        after = take(netns="own")
        now, before = _own(after), _own(self._before)
        if now is None:
            return {}
        interval_s = (after.monotonic_ns - self._before.monotonic_ns) / 1e9
        return {
            place: local_causes(
                now,
                result.handshake.server,
                result.handshake.server_port,
                source=result.handshake.client,
                errno=result.handshake.errno,
                syn_retries=self._syn_retries,
                before=before,
                interval_s=interval_s,
                established=result.established,
            )
            for place, result in self._troubles.items()
        }


def _own(snapshot: Snapshot) -> NetNamespace | None:
    return next((namespace for namespace in snapshot.netns if namespace.own), None)
