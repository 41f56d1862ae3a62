"""Addresses of a family that this host has no way to: a name has them for others, and they cost nobody time.

``connect()`` says so at once, and a program that tries the addresses in their order goes on to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.probe import ProbeResult

#: What connect() says without a SYN where there is no route, or no local address of that family.
_NO_WAY = frozenset({"ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"})


def without_unrouted(results: tuple[ProbeResult, ...]) -> tuple[tuple[ProbeResult, ...], list[str]]:
    """The connects that count, and the addresses that do not: all of one family, while the other was sent to."""
    for v6 in (True, False):
        mine = [one for one in results if (":" in one.handshake.server) == v6]
        others = tuple(one for one in results if (":" in one.handshake.server) != v6)
        if mine and all(map(_has_no_way, mine)) and any(one.handshake.syn_sent for one in others):
            return others, list(dict.fromkeys(one.handshake.server for one in mine))
    return results, []


def _has_no_way(result: ProbeResult) -> bool:
    row = result.handshake
    return not result.established and not row.syn_sent and row.errno in _NO_WAY
