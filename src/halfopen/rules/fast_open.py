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


FAILED_MIN = 5
#: One in five fails: on the paths where it works, it nearly always works.
FAILED_SHARE_MIN = 0.2


def eaten(space: Space) -> int:
    """Connects whose SYN was lost for the data in it; 0 where it was another reason, or few.

    A server that refuses the cookie moves `TCPFastOpenActiveFail`, too, but then no SYN is sent again. A host that
    serves sends SYN-ACKs again, which the same counter counts, so that it may be more.
    """
    failed, worked = space.grown("TCPFastOpenActiveFail"), space.grown("TCPFastOpenActive")
    few = failed < max(FAILED_MIN, FAILED_SHARE_MIN * (failed + worked))
    return 0 if few or space.grown("TCPSynRetrans") < failed / 2 else failed


def uses_fast_open(listening: Listening) -> bool:
    """Whether TCP_FASTOPEN is set on the listening socket."""
    return any(listener.options is not None and bool(listener.options.fast_open) for listener, _ in listening.members)


def serves(space: Space) -> bool:
    """Whether anything here accepts data in a SYN."""
    return bool((flags(space) or 0) & SERVER) and any(map(uses_fast_open, space.listening))
