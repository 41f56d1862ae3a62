"""Which sockets the kernel shows without saying whose they are: half-open requests, the accept queue, TIME_WAIT."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import census, states
from halfopen.lab.spoofing import flood, lead_answers_away
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import Attempt, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.lab.story import Story

SHARED = (socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
BACKLOG, SYNS, WAITING = 64, 6, 4
WORKERS = 2


def run(story: Story) -> None:
    """Two workers on one port, with half-open requests, waiting connections, an accepted one and a closed one."""
    net = pair(story.network)
    lead_answers_away(net)
    story.say(
        f"{WORKERS} workers share a port (SO_REUSEPORT). {SYNS} SYNs are not completed, {WAITING} connections wait for "
        "accept(), one was accepted, and one was closed by the server, which is left with TIME_WAIT."
    )
    workers = [listen(net.server, net.server_address, BACKLOG, options=(SHARED,)) for _ in range(WORKERS)]
    flood(net, SYNS).wait()
    until(lambda: states(net.server).get("SYN_RECV", 0) == SYNS, "the requests to be there")
    clients, accepted = _accepted(net, workers)
    with accepted:
        waiting = connect(net.client, net.server_address, WAITING)
        until(lambda: _rows(net, "ESTABLISHED")[0] == WAITING + 1, "the connections to be there")
        story.say("What sock_diag, which `ss` asks, says of them; a process is found by the inode of its socket:")
        expected = (
            ("LISTEN", WORKERS, WORKERS),
            ("SYN_RECV", SYNS, 0),
            ("ESTABLISHED", WAITING + 1, 1),
            ("TIME_WAIT", 1, 0),
        )
        for state, count, owned in expected:
            seen = _rows(net, state)
            story.expect(
                f"{state}: sockets, and those of them with an inode", f"{count}, {owned}", f"{seen[0]}, {seen[1]}"
            )
        queues = [row["accept_queue"] for row in census(net.server)["listeners"]]
        story.expect("the accept queues, which each worker has for itself, together", WAITING, sum(queues))
        story.pitfall()
        close_all([*clients, *waiting])
    for worker in workers:
        worker.close()


def _accepted(net: Pair, workers: Sequence[socket.socket]) -> tuple[list[Attempt], socket.socket]:
    """Two clients: the first one's connection the server closes, the second one's it holds."""
    first, second = connect(net.client, net.server_address, 2)
    guests = _accept_both(workers)
    by_port = {guest.getpeername()[1]: guest for guest in guests}
    ended, held = (by_port[client.socket.getsockname()[1]] for client in (first, second))
    ended.close()
    until(lambda: states(net.client).get("CLOSE_WAIT", 0) == 1, "the server's FIN")
    first.close()
    until(lambda: states(net.server).get("TIME_WAIT", 0) == 1, "TIME_WAIT")
    return [second], held


def _accept_both(workers: Sequence[socket.socket]) -> list[socket.socket]:
    """Of whichever workers the kernel has chosen."""
    guests: list[socket.socket] = []
    for worker in workers:
        worker.setblocking(False)  # noqa: FBT003  (the library's signature)

    def accept() -> bool:
        for worker in workers:
            with suppress(BlockingIOError):
                guests.append(worker.accept()[0])
        return len(guests) == 2

    until(accept, "both clients to be in a queue")
    return guests


def _rows(net: Pair, state: str) -> tuple[int, int]:
    """Sockets of the server in this state, and how many of them have an inode."""
    rows = net.server.run(_core.tcp_sockets, [state])
    return len(rows), sum(bool(row["inode"]) for row in rows)


EXPERIMENT = Experiment(
    name="rows-without-owner",
    title="Sockets that the kernel shows without an owner",
    claim="Half-open requests, connections in an accept queue and TIME_WAIT have no inode, so that no process can be "
    "named for them, nor the worker of a group whose request it is.",
    run=run,
)
