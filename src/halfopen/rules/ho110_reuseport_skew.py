"""HO110: of several sockets that share a port, one is overloaded while others are idle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening

#: A member is loaded from half of its limit on, and idle with an empty queue.
LOADED_SHARE_MIN = 0.5
#: Connections in the loaded member's queue from which on it is no accident of one moment.
LOADED_MIN = 8
#: Members that must be idle.
IDLE_SHARE_MIN = 0.5


class ReuseportSkew(Rule):
    """One socket of an SO_REUSEPORT group is overloaded while others are idle.

    ## What it finds
    Several sockets on one address and port, one with a queue at least half full, and half of the others empty.

    ## Why it matters
    The kernel spreads connections over the group by a hash of the four-tuple, whatever the queues look like. A worker
    that hangs keeps getting its share, and that share of the clients is dropped while other workers idle.

    ## Evidence
    The queue of each member.

    ## Confirm by hand
    `ss -ltn 'sport = :PORT'` lists one line a member.

    ## Remedy
    Find out what the worker with the full queue does. A worker that stops should close its socket, with
    `tcp_migrate_req=1` so that its queue is handed over.

    ## When it is wrong
    A moment's accident with few connections; or a group that is steered by a BPF program on purpose.

    ## References
    Linux `net/core/sock_reuseport.c` `reuseport_select_sock`; socket(7), SO_REUSEPORT.
    """

    code = "HO110"
    name = "reuseport-skew"
    severity = "warning"
    harm = "slow"
    proof = "reuseport"
    needs = ("sockets",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each skewed group."""
        for space in context.spaces:
            for listening in space.listening:
                if (index := _overloaded(listening)) is None:
                    continue
                worst = listening.members[index][0]
                owner = worst.owner
                idle = sum(listener.accept_queue == 0 for listener, _ in listening.members)
                yield self.finding(
                    space.subject("listener", listening.name, **listening.identity()),
                    f"One of {len(listening.members)} sockets on this port has {worst.accept_queue} connections "
                    f"waiting, {idle} have none: "
                    "the kernel spreads them by a hash, not by load.",
                    (
                        Evidence("fullest accept queue", worst.accept_queue, "connections", "sock_diag idiag_rqueue"),
                        Evidence("its limit", worst.accept_queue_limit, "connections", "sock_diag idiag_wqueue"),
                        Evidence("idle sockets", idle, f"of {len(listening.members)}", "sock_diag idiag_rqueue"),
                        Evidence("its process", owner.pid, "pid", "/proc/PID/fd") if owner else None,
                    ),
                    remedy=Remedy(
                        f"Find out why {f'process {owner.pid} ({owner.comm})' if owner else 'that worker'} does not "
                        "call accept().",
                        (),
                        ("A worker that cannot serve should close its socket.",),
                    ),
                    confirm=space.command(f"ss -ltnp 'sport = :{listening.port}'"),
                    confidence="likely",
                )


def _overloaded(listening: Listening) -> int | None:
    """The index of the fullest member, when it is loaded and enough others are idle."""
    queues = [listener.accept_queue for listener, _ in listening.members]
    if len(queues) < 2:
        return None
    index = queues.index(max(queues))
    loaded = max(LOADED_MIN, LOADED_SHARE_MIN * listening.members[index][0].accept_queue_limit)
    if queues[index] < loaded or queues.count(0) < IDLE_SHARE_MIN * (len(queues) - 1):
        return None
    return index
