"""What the accept queue says of the application behind it: does it take connections, and if not, for how long?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.model.quantity import duration, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.owner import Owner
    from halfopen.model.sockets import Listener
    from halfopen.rules.space import Space

#: A connection that waited that long was not taken by a loop that calls accept() whenever one is there. It is also when
#: a client's first retransmission would come (RFC 6298: an initial timeout of 1 s).
STARVING_MS = 1000
#: Processes that a command names; the others are alike.
WORKERS_NAMED = 4


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


def stays_full(listener: Listener, before: Listener | None) -> bool:
    """Whether it is full at both ends of the watched time: no burst, but a program that takes too few."""
    return before is not None and is_full(before) and is_full(listener)


def acceptors(listener: Listener) -> tuple[Owner, ...]:
    """The processes that call accept(): of a master and its workers, which all hold the socket, the workers."""
    parents = {owner.parent for owner in listener.owners}
    return tuple(owner for owner in listener.owners if owner.pid not in parents) or listener.owners


def look_at(listener: Listener) -> tuple[str, ...]:
    """What a person looks at to see why accept() is not called: a stopped process is the whole answer."""
    workers = acceptors(listener)
    stopped = [owner.pid for owner in workers if owner.state in {"T", "t"}]
    if stopped:
        number = " ".join(map(str, stopped))
        return (f"Stopped by a signal or a debugger: process {number}. Let it run again: `kill -CONT {number}`.",)
    pids = [owner.pid for owner in workers[:WORKERS_NAMED]]
    if not pids:
        return ()
    some = str(pids[0]) if len(pids) == 1 else f"{{{','.join(map(str, pids))}}}"
    return (f"See what its threads do: `cat /proc/{some}/task/*/wchan`, `top -H -p {','.join(map(str, pids))}`.",)


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
