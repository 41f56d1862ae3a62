"""Which listener serves an address and port: the most specific one, as the kernel chooses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.routing import address_of

if TYPE_CHECKING:
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space


def serving(space: Space, address: str, port: int) -> Listening | None:
    """The listener on exactly that address, else on all of its family, else an IPv6 one that takes IPv4.

    Source: ``net/ipv4/inet_hashtables.c`` ``inet_lhash2_lookup``.
    """
    found = [(rank, one) for one in space.listening if one.port == port and (rank := _rank(one, address))]
    return max(found, key=lambda item: item[0])[1] if found else None


#: Where connect() goes to when it is given no address.
_HOME = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (nothing is bound)


def _rank(listening: Listening, address: str) -> int:
    wanted, bound = address_of(_HOME.get(address, address)), address_of(listening.first.address)
    if wanted is None or bound is None:
        return 0
    if bound == wanted:
        return 3
    if not bound.is_unspecified:
        return 0
    if listening.first.address == "::" and wanted.version == 4:
        return 0 if listening.first.only_v6 else 1
    return 2 if bound.version == wanted.version else 0
