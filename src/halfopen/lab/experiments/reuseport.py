"""SO_REUSEPORT gives each worker a queue of its own: one slow worker loses connections beside idle ones."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, census
from halfopen.lab.story import AtLeast
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import PORT, Attempt, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

MIGRATE = "net.ipv4.tcp_migrate_req"
SHARED = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
BACKLOG, CLIENTS, QUEUED = 16, 60, 20


def run(story: Story) -> None:
    """Two workers, one of which is stuck; then one that leaves, without and with tcp_migrate_req."""
    net = pair(story.network)
    story.say(
        f"Two workers listen on one port with SO_REUSEPORT and a backlog of {BACKLOG} each. One of them is stuck."
    )
    stuck = listen(net.server, net.server_address, BACKLOG, options=(SHARED,))
    busy = listen(net.server, net.server_address, BACKLOG, options=(SHARED,))
    busy.setblocking(False)  # noqa: FBT003  (the library's signature)
    moment, doctor = Moment.of(net.server), Examination.begin(net.server)
    attempts = _one_by_one(net, busy)
    rows = sorted(census(net.server)["listeners"], key=lambda row: row["accept_queue"])
    story.expect("queue of the stuck worker: full", BACKLOG + 1, rows[-1]["accept_queue"])
    story.expect("queue of the other one", 0, rows[0]["accept_queue"])
    story.expect(f"of {CLIENTS} clients, not served beside an idle worker", AtLeast(1),
                 sum(not a.connected for a in attempts))  # fmt: skip
    story.expect("ListenOverflows", AtLeast(1), moment.since("ListenOverflows"))
    doctor.expect(story, "HO110", found=True)
    close_all(attempts)
    stuck.close()
    busy.close()

    story.say(f"{QUEUED} clients are in the queues of two workers when one of them leaves, as in a reload:")
    story.expect("clients that were reset, at least", AtLeast(1), _leave(net))

    story.remedy(f"Set {MIGRATE} = 1: what waits in the queue of a worker that leaves goes to another one.")
    net.server.set_sysctl(MIGRATE, 1)
    moment = Moment.of(net.server)
    story.expect("clients that were reset", 0, _leave(net))
    story.expect("TCPMigrateReqSuccess: connections that changed the queue", AtLeast(1),
                 moment.since("TCPMigrateReqSuccess"))  # fmt: skip


def _one_by_one(net: Pair, busy: socket.socket) -> list[Attempt]:
    """Clients that come one after the other, while one worker accepts what reaches it."""
    attempts = []
    for _ in range(CLIENTS):
        attempts += connect(net.client, net.server_address, timeout_s=0.1)
        try:
            busy.accept()[0].close()
        except BlockingIOError:  # this client went to the stuck worker
            continue
    return attempts


def _leave(net: Pair) -> int:
    """Fill the queues of two workers, let one leave, and count the clients that it takes with it."""
    leaving = listen(net.server, net.server_address, 64, options=(SHARED,))
    staying = listen(net.server, net.server_address, 64, options=(SHARED,))
    attempts = connect(net.client, net.server_address, QUEUED)
    until(lambda: sum(r["accept_queue"] for r in census(net.server)["listeners"] if r["port"] == PORT) == QUEUED,
          "every client to be in a queue")  # fmt: skip
    moment = Moment.of(net.client)
    leaving.close()
    until(lambda: len(census(net.server)["listeners"]) == 1, "the worker to be gone")
    reset = sum(_is_reset(attempt) for attempt in attempts)
    assert moment.since("EstabResets") == reset
    close_all(attempts)
    staying.close()
    return reset


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
    title="SO_REUSEPORT: a slow worker's queue overflows beside an idle one",
    claim="Each SO_REUSEPORT socket has queues of its own: one that nobody accepts from loses its share, and one that "
    "is closed resets what it holds, unless tcp_migrate_req is set.",
    run=run,
    proves=("HO110", "HO111"),
)
