"""What the accept queue says of the application behind it: does it take connections, and if not, for how long?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.model.quantity import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.sockets import Listener
    from halfopen.rules.space import Space

#: A connection that waited that long was not taken by a loop that calls accept() whenever one is there. It is also when
#: a client's first retransmission would come (RFC 6298: an initial timeout of 1 s).
STARVING_MS = 1000


def starving(listener: Listener) -> bool:
    """Whether connections wait because accept() is not called, rather than because many came at once."""
    queued = listener.queued
    return queued is not None and queued.oldest_ms is not None and queued.oldest_ms >= STARVING_MS


def holds_up(listener: Listener) -> str:
    """How long the application has let a connection wait."""
    oldest = None if listener.queued is None else listener.queued.oldest_ms
    who = listener.owners[0].comm if listener.owners else "the application"
    return f"{who} has let a connection wait for accept() for {duration(None if oldest is None else oldest * 1000)}"


def queue_evidence(space: Space, listener: Listener) -> Iterator[Evidence]:
    """The queue, its limit, what is in it, and what happens on overflow where that is not the default."""
    yield Evidence("accept queue", listener.accept_queue, "connections", "sock_diag idiag_rqueue")
    yield Evidence("its limit", listener.accept_queue_limit, "connections", "sock_diag idiag_wqueue")
    queued = listener.queued
    if queued is not None and queued.oldest_ms is not None and listener.accept_queue:
        yield Evidence("oldest waiting connection", queued.oldest_ms, "ms", "sock_diag, rows with inode 0")
    if queued is not None and queued.close_wait:
        yield Evidence(
            "already closed by the client", queued.close_wait, "connections", "sock_diag, CLOSE_WAIT rows with inode 0"
        )
    if space.sysctl("net.ipv4.tcp_abort_on_overflow"):
        setting = space.setting("net.ipv4.tcp_abort_on_overflow")
        assert setting is not None
        yield setting
