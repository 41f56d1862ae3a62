"""SYNs from addresses that do not exist, and a way back for their answers, which nobody takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab.topology import add_route
from halfopen.lab.traffic import PORT

if TYPE_CHECKING:
    from halfopen.lab.topology import Pair

#: RFC 2544's benchmark network, as address and prefix length.
SOURCES = ("198.18.0.0", 15)
#: A flood that nobody stops ends by itself.
TIME_MAX_S = 30.0


def lead_answers_away(net: Pair) -> None:
    """Route the answers to the client, which drops them: without a route the server would drop the SYNs."""
    net.server.run(add_route, f"{SOURCES[0]}/{SOURCES[1]}", gateway=net.client_address)


def flood(
    net: Pair, count: int, *, port: int = PORT, rate: int = 0, seed: int = 1, time_max_s: float = TIME_MAX_S
) -> _core.Flood:
    """Begin to send ``count`` SYNs from the client to the server, ``rate`` a second (0: as fast as it goes)."""
    target = (net.server_address, port)
    return net.client.run(
        lambda: _core.Flood(target, SOURCES, rate=rate, count=count, time_max_s=time_max_s, seed=seed)
    )
