"""Fast Open: the bits of the setting, and which listeners have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space

KEY = "net.ipv4.tcp_fastopen"
#: TFO_CLIENT_ENABLE, TFO_SERVER_ENABLE, TFO_SERVER_WO_SOCKOPT1 of include/net/tcp.h.
CLIENT, SERVER, ALL_LISTENERS = 0x1, 0x2, 0x400


def flags(space: Space) -> int | None:
    """The setting's bits."""
    return space.sysctl(KEY)


def uses_fast_open(listening: Listening) -> bool:
    """Whether TCP_FASTOPEN is set on the listening socket."""
    return any(listener.options is not None and bool(listener.options.fast_open) for listener, _ in listening.members)


def serves(space: Space) -> bool:
    """Whether anything here accepts data in a SYN."""
    return bool((flags(space) or 0) & SERVER) and any(map(uses_fast_open, space.listening))
