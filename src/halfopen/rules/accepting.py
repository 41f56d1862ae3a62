"""What the accept queue says of the application behind it: does it take connections, and if not, for how long?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.model.quantity import duration, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.sockets import Listener
    from halfopen.rules.space import Space

#: A connection that waited that long was not taken by a loop that calls accept() whenever one is there. It is also when
#: a client's first retransmission would come (RFC 6298: an initial timeout of 1 s).
STARVING_MS = 1000


def starving(listener: Listener) -> bool:
    """Whether connections wait because accept() is not called, rather than because many came at once."""
    return _oldest_ms(listener) >= STARVING_MS or (is_full(listener) and dead(listener) * 2 >= listener.accept_queue)


def is_full(listener: Listener) -> bool:
    """Whether the next connection is dropped: more than the limit wait, for one more than the limit fits."""
    return listener.accept_queue > listener.accept_queue_limit


def dead(listener: Listener) -> int:
    """Waiting connections whose clients have gone: closed by them, or reset, which leaves a place but no row."""
    queued = listener.queued
    established, closed = (0, 0) if queued is None else (queued.established, queued.close_wait)
    # The rows of a group cannot be told apart, and stand with its first socket.
    vanished = listener.accept_queue - established - closed if listener.group == 1 else 0
    return closed + max(0, vanished)


def holds_up(listener: Listener) -> str:
    """How long the application has let connections wait."""
    who = listener.owners[0].comm if listener.owners else "the application"
    if _oldest_ms(listener) >= STARVING_MS:
        return f"{who} has let a connection wait for accept() for {duration(_oldest_ms(listener) * 1000)}"
    return (
        f"{who} does not call accept(), and {share(dead(listener), listener.accept_queue)} of the clients have given up"
    )


def _oldest_ms(listener: Listener) -> int:
    return 0 if listener.queued is None else listener.queued.oldest_ms or 0


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
