"""SO_REUSEPORT gives each worker a queue of its own: one slow worker loses connections beside idle ones."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, census, states
from halfopen.lab.story import AtLeast
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, Attempt, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.lab.story import Story

MIGRATE = "net.ipv4.tcp_migrate_req"
SHARED = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
#: Two of three are idle. A third of the clients is more than twice what the queue of the stuck one holds.
WORKERS, BACKLOG, CLIENTS = 3, 16, 120
QUEUED, HALF_OPEN = 40, 30
#: A worker leaves while these ACKs are under way.
LATE = "delay=900ms final_ack"


def run(story: Story) -> None:
    """Three workers, one of which is stuck; then one that leaves, without and with tcp_migrate_req."""
    net, reload = pair(story.network), pair(story.network, relayed=True, suffix="2")
    reload.server.set_sysctl(MIGRATE, 0)
    story.say(
        f"{WORKERS} workers listen on one port with SO_REUSEPORT and a backlog of {BACKLOG} each. One of them is stuck."
    )
    workers = [_worker(net, BACKLOG) for _ in range(WORKERS)]
    _stuck(story, net, workers)
    story.pitfall()
    story.say(
        f"Of {WORKERS} other workers one leaves, as in a reload, while {QUEUED} clients are in their queues and "
        f"{HALF_OPEN} more have the last ACK of their handshake under way:"
    )
    _leave(story, reload, migrates=False)

    story.remedy(
        f"Find out why a worker is stuck. Set {MIGRATE} = 1: what waits in the queue of a worker that leaves goes to "
        "another one."
    )
    _unstuck(story, net, workers)
    reload.server.set_sysctl(MIGRATE, 1)
    story.say("And the worker that leaves:")
    _leave(story, reload, migrates=True)


def _worker(net: Pair, backlog: int) -> socket.socket:
    listener = listen(net.server, net.server_address, backlog, options=(SHARED,))
    listener.setblocking(False)  # noqa: FBT003  (the library's signature)
    return listener


# --- one that is stuck ------------------------------------------------------------------------------------------------


def _stuck(story: Story, net: Pair, workers: Sequence[socket.socket]) -> None:
    moment, doctor = Moment.of(net.server), Examination.begin(net.server)
    lost = CLIENTS - _one_by_one(net, workers[1:], moment)
    queues = ", ".join(str(depth) for depth in sorted(_queues(net)))
    story.expect("connections in their queues", f"0, 0, {BACKLOG + 1}", queues)
    story.expect(f"of {CLIENTS} clients, not served beside idle workers", AtLeast(1), lost)
    story.expect("  ListenOverflows: each of these", lost, moment.since("ListenOverflows"))
    doctor.expect(story, "HO110", found=True)


def _unstuck(story: Story, net: Pair, workers: Sequence[socket.socket]) -> None:
    for _ in range(BACKLOG + 1):
        workers[0].accept()[0].close()
    moment, doctor = Moment.of(net.server), Examination.begin(net.server)
    story.expect(f"of {CLIENTS} clients, served when all accept", CLIENTS, _one_by_one(net, workers, moment))
    story.expect("  ListenOverflows", 0, moment.since("ListenOverflows"))
    doctor.expect(story, "HO110", found=False)
    for worker in workers:
        worker.close()


def _one_by_one(net: Pair, accepting: Sequence[socket.socket], moment: Moment) -> int:
    """Clients that come one after the other, while some of the workers accept; how many get in."""
    served = 0
    for number in range(CLIENTS):
        served += _try(net, moment, dropped=number - served + 1)
        for worker in accepting:
            _accept(worker)
    idle = len(accepting)
    until(lambda: not sum(map(_accept, accepting)) and sorted(_queues(net))[:idle] == [0] * idle, "the last one")
    return served


def _try(net: Pair, moment: Moment, *, dropped: int) -> bool:
    """One client: whether it got in, or its SYN is the drop of this number."""
    (client,) = connect(net.client, net.server_address, until=lambda _: True)
    until(lambda: _is_open(client) or moment.since("ListenOverflows") == dropped, "a SYN to be answered or dropped")
    got_in = _is_open(client)
    client.close()  # before its SYN is sent again
    return got_in


def _is_open(client: Attempt) -> bool:
    try:
        client.socket.getpeername()
    except OSError:  # ENOTCONN
        return False
    return True


def _accept(worker: socket.socket) -> bool:
    try:
        worker.accept()[0].close()
    except BlockingIOError:  # this client went to another worker
        return False
    return True


def _queues(net: Pair) -> list[int]:
    return [row["accept_queue"] for row in census(net.server)["listeners"] if row["port"] == PORT]


# --- one that leaves --------------------------------------------------------------------------------------------------


def _leave(story: Story, net: Pair, *, migrates: bool) -> None:
    """Fill the queues of the workers, let one leave, and see what becomes of the clients that it had."""
    leaving, *staying = [_worker(net, 64) for _ in range(WORKERS)]
    net.relay.set_faults([])
    complete = connect(net.client, net.server_address, QUEUED)
    until(lambda: sum(_queues(net)) == QUEUED, "every client to be in a queue")
    net.relay.set_faults([LATE])
    half = connect(net.client, net.server_address, HALF_OPEN)
    everybody = QUEUED + HALF_OPEN
    until(lambda: sum(_queues(net)) + states(net.server).get("SYN_RECV", 0) == everybody, "the others to be half-open")
    moment, own, doctor = Moment.of(net.server), Moment.of(net.client), Examination.begin(net.server)
    leaving.close()
    until(lambda: states(net.server).get("SYN_RECV", 0) == 0, "the late ACKs to arrive")
    kept = everybody - sum(_queues(net))
    until(lambda: own.since("EstabResets") >= kept, "the RSTs to arrive")
    reset = sum(_is_reset(attempt) for attempt in complete), sum(_is_reset(attempt) for attempt in half)
    story.expect("clients in a queue that were reset", 0 if migrates else AtLeast(1), reset[0])
    story.expect("half-open ones that were reset on their last ACK", 0 if migrates else AtLeast(1), reset[1])
    story.expect("  together: those that the staying workers do not have", kept, sum(reset))
    story.expect("  ListenDrops, which does not tell of it", 0, moment.since("ListenDrops"))
    moved = moment.since("TCPMigrateReqSuccess")
    story.expect("TCPMigrateReqSuccess: connections that changed the queue", AtLeast(2) if migrates else 0, moved)
    doctor.expect(story, "HO111", found=not migrates)
    close_all([*complete, *half])
    for worker in staying:
        worker.close()


def _is_reset(attempt: Attempt) -> bool:
    try:
        attempt.socket.recv(1)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    return False


EXPERIMENT = Experiment(
    name="reuseport",
    title="SO_REUSEPORT: a slow worker's queue overflows beside idle ones",
    claim="Each SO_REUSEPORT socket has queues of its own: one that nobody accepts from loses its share, and one that "
    "is closed resets what it holds, half-open requests too, unless tcp_migrate_req is set.",
    run=run,
    proves=("HO110", "HO111"),
    hosts=hosts_of_pairs("", "2"),
)
