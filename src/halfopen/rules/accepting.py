"""What the accept queue says of the application behind it: does it take connections, and if not, for how long?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import duration, listed, plural, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.owner import Owner
    from halfopen.model.sockets import Listener
    from halfopen.rules.space import Space
    from halfopen.rules.taking import Pace

#: A connection that waited that long was not taken by a loop that calls accept() whenever one is there. It is also when
#: a client's first retransmission would come (RFC 6298: an initial timeout of 1 s).
STARVING_MS = 1000
#: Processes that a command names; the others are alike.
WORKERS_NAMED = 4

#: What a limit of open files is raised to at least: enough for any listener with a usual backlog behind it.
FILES_MIN = 65_536

UNSERVED = (
    "Start the service of the socket unit: `systemctl list-sockets` names both, `systemctl status` of each says why."
)
WHY_UNSERVED = (
    "A unit that failed too often is let go of by `systemctl reset-failed`; with Accept=yes systemd itself accepts."
)

MORE_WORKERS = "More workers, or less work between two accept() calls; a longer queue would only turn drops into waits."


def starving(listener: Listener) -> bool:
    """Whether connections wait because accept() is not called, rather than because many came at once."""
    return _is_old(listener) or (is_full(listener) and dead(listener) * 2 >= listener.accept_queue)


def is_held_up(listener: Listener) -> bool:
    """Whether what is wrong is that the application does not take connections."""
    return starving(listener) or (is_full(listener) and is_known(listener))


def is_known(listener: Listener) -> bool:
    """Whether it shows why nobody takes connections: nobody is there, is stopped, or has no descriptor left."""
    return listener.is_unserved or bool(stopped(listener) or exhausted(listener))


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
    """Whether it is full at both ends of the watched time: no burst, but a program that takes too few.

    The place of the connection that was taken last may not be filled again yet.
    """
    return (
        before is not None
        and min(listener.accept_queue - listener.accept_queue_limit, before.accept_queue - before.accept_queue_limit)
        >= 0
        and (is_full(listener) or is_full(before))
    )


def acceptors(listener: Listener) -> tuple[Owner, ...]:
    """The processes that call accept(): of a master and its workers, which all hold the socket, the workers."""
    parents = {owner.parent for owner in listener.owners}
    return tuple(owner for owner in listener.owners if owner.pid not in parents) or listener.owners


def stopped(listener: Listener) -> tuple[Owner, ...]:
    """Of the processes that call accept(), those that a signal or a debugger has stopped."""
    return tuple(owner for owner in acceptors(listener) if owner.state in {"T", "t"})


def exhausted(listener: Listener) -> tuple[Owner, ...]:
    """Of the processes that call accept(), those that have no file descriptor left for what it gives."""
    return tuple(owner for owner in acceptors(listener) if owner.out_of_descriptors)


def take_sooner(listener: Listener, *, takes: bool = False) -> Remedy:
    """What a person does so that connections are taken. ``takes``: some are, and not enough."""
    who = listener.owner.comm if listener.owner else "the application"
    if halted := stopped(listener):
        number = " ".join(str(owner.pid) for owner in halted)
        return Remedy(f"Let it run again: `kill -CONT {number}`, or end the debugger.")
    if full := exhausted(listener):
        return _more_files(who, full)
    if listener.is_unserved:
        return Remedy(UNSERVED, (), (WHY_UNSERVED,))
    if takes:
        return Remedy(f"Let {who} take connections faster.", (), (MORE_WORKERS, *_look_at(listener)))
    return Remedy(f"Find out what keeps {who} from accept().", (), (*_look_at(listener), MORE_WORKERS))


def _more_files(who: str, full: tuple[Owner, ...]) -> Remedy:
    """A limit can be raised while the program runs, and lasts until it ends."""
    owner = full[0]
    want = max(FILES_MIN, 2 * (owner.descriptors_limit or 0))
    each = " ".join(str(one.pid) for one in full[:WORKERS_NAMED])
    raising = f"for pid in {each}; do prlimit --pid $pid --nofile={want}:{want}; done"
    return Remedy(
        f"Let {who} open more files: `{raising if len(full) > 1 else f'prlimit --pid {each} --nofile={want}:{want}'}`.",
        (),
        (
            "For good: LimitNOFILE= of its systemd unit, `worker_rlimit_nofile` of nginx, `ulimit -n` of a script.",
            f"If it comes to that again, it leaks them: `ls -l /proc/{owner.pid}/fd` shows what they are.",
        ),
    )


def _look_at(listener: Listener) -> tuple[str, ...]:
    """What a person looks at to see what the processes do that should call accept()."""
    pids = [owner.pid for owner in acceptors(listener)[:WORKERS_NAMED]]
    if not pids:
        return ()
    some = str(pids[0]) if len(pids) == 1 else f"{{{','.join(map(str, pids))}}}"
    return (f"See what its threads do: `grep . /proc/{some}/task/*/wchan`, `top -H -p {','.join(map(str, pids))}`.",)


def holds_up(listener: Listener, rate: Pace | None = None) -> str:
    """Why connections wait: nobody runs who could take them, or not fast enough, or for how long none was taken."""
    who = listener.owner.comm if listener.owner else "the application"
    if halted := stopped(listener):
        return _standstill(who, halted, len(acceptors(listener)))
    if full := exhausted(listener):
        return _no_files(who, full, len(acceptors(listener)))
    if listener.is_unserved:
        return "systemd alone holds the socket: the service behind it does not run"
    if rate is not None:
        waits = f", and one has waited for {duration(_oldest_ms(listener) * 1000)}" if _is_old(listener) else ""
        return f"{who} takes {rate}{waits}"
    if _is_old(listener):
        return f"{who} has let a connection wait for accept() for {duration(_oldest_ms(listener) * 1000)}"
    gone = share(dead(listener), listener.accept_queue)
    return f"{gone} of the clients that wait for accept() by {who} have gone already"


def _standstill(who: str, halted: tuple[Owner, ...], of: int) -> str:
    numbers = listed([str(owner.pid) for owner in halted], WORKERS_NAMED)
    if len(halted) == of:
        return f"{who} is stopped (state T): {'process' if of == 1 else 'processes'} {numbers}"
    are = "is" if len(halted) == 1 else "are"
    return f"of {plural(of, 'process', 'processes')} of {who} {numbers} {are} stopped (state T)"


def _no_files(who: str, full: tuple[Owner, ...], of: int) -> str:
    limit = plural(full[0].descriptors_limit or 0, "file descriptor")
    which = "" if of == 1 else f" in {plural(len(full), 'process', 'processes')} of {of}"
    return f"{who} has all of its {limit} in use{which}, so that accept() fails with EMFILE"


def _is_old(listener: Listener) -> bool:
    return _oldest_ms(listener) >= STARVING_MS


def _oldest_ms(listener: Listener) -> int:
    return 0 if listener.queued is None else listener.queued.oldest_ms or 0


def queue_evidence(space: Space, listener: Listener) -> Iterator[Evidence]:
    """The queue, its limit, what is in it, and what happens on overflow where that is not the default."""
    yield Evidence("accept queue", listener.accept_queue, "connections", "sock_diag idiag_rqueue")
    # What ss calls Send-Q: a queue of 9 with a limit of 8 is full, and no error.
    limit = "its limit, and one more fits" if is_full(listener) else "its limit"
    yield Evidence(limit, listener.accept_queue_limit, "connections", "sock_diag idiag_wqueue")
    queued = listener.queued
    if queued is not None and queued.oldest_ms is not None and listener.accept_queue:
        yield Evidence("oldest waiting connection", queued.oldest_ms, "ms", "sock_diag, rows with inode 0")
    if queued is not None and queued.close_wait:
        yield Evidence(
            "already closed by the client", queued.close_wait, "connections", "sock_diag, CLOSE_WAIT rows with inode 0"
        )
    for owner in exhausted(listener)[:WORKERS_NAMED]:
        yield Evidence(
            f"open file descriptors of process {owner.pid}",
            owner.descriptors,
            f"of {owner.descriptors_limit}",
            f"/proc/{owner.pid}/fd, /proc/{owner.pid}/limits",
        )
    if space.sysctl("net.ipv4.tcp_abort_on_overflow"):
        setting = space.setting("net.ipv4.tcp_abort_on_overflow")
        assert setting is not None
        yield setting
