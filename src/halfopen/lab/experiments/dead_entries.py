"""Clients that have gone keep their places in the accept queue until accept() takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, listener_row, states
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import BY_RST, Attempt, Target, close_all, connect, listen
from halfopen.lab.visitors import Doorman, visit
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    import socket

    from halfopen.lab.story import Story

BACKLOG = 15
FIT = BACKLOG + 1
HALF = FIT // 2


def run(story: Story) -> None:
    """Fill the queue with clients that go away; then accept in time."""
    net = pair(story.network)
    listener = listen(net.server, net.server_address, BACKLOG)
    story.say(
        f"{FIT} clients connect, which fills a backlog of {BACKLOG}. Nobody calls accept(). {HALF} lose patience and "
        f"close, {HALF} reset, as load generators and health checks do."
    )
    moment, doctor = Moment.of(net.server), Examination.begin(net.server)
    _leave(net)
    row = listener_row(net.server)
    story.expect("clients that are still there", 0, states(net.client).get("ESTABLISHED", 0))
    story.expect("connections in the accept queue", FIT, row["accept_queue"])
    story.expect("  closed by their clients (CLOSE_WAIT without an owner)", HALF, row["queued"]["close_wait"])
    story.expect("  reset, which leaves a place but no socket to be seen", 0, row["queued"]["established"])
    (late,) = connect(net.client, net.server_address, timeout_s=0.3)
    story.expect("a new client is connected", "no", "yes" if late.connected else "no")
    story.expect("ListenOverflows: its SYN", 1, moment.since("ListenOverflows"))
    doctor.expect(story, "HO103", found=True)
    story.pitfall()
    close_all([late])
    story.say("The application wakes up, and calls accept() for all of them:")
    served = [_receive(net.server.run(listener.accept)[0]) for _ in range(FIT)]
    story.expect("accept() that gave a client which had closed", HALF, served.count("closed"))
    story.expect("accept() that gave a client which had reset (ECONNRESET)", HALF, served.count("reset"))

    story.remedy("Call accept() in time. A longer queue would only hold more of the dead.")
    moment, doctor = Moment.of(net.server), Examination.begin(net.server)
    door = Doorman(net.server, listener)
    _leave(net)
    until(lambda: listener_row(net.server)["accept_queue"] == 0, "the queue to be empty")
    story.expect("new clients served, of 8", 8, visit(net.client, Target(net.server_address), 8, 50).served)
    story.expect("connections in the accept queue", 0, listener_row(net.server)["accept_queue"])
    story.expect("ListenOverflows", 0, moment.since("ListenOverflows"))
    doctor.expect(story, "HO103", found=False)
    door.stop()


def _leave(net: Pair) -> None:
    """Connect and go away, half of the clients with FIN and half with RST, until the server knows."""
    gone: list[Attempt] = connect(net.client, net.server_address, HALF)
    gone += connect(net.client, Target(net.server_address, options=(BY_RST,)), HALF)
    close_all(gone)
    until(lambda: "ESTABLISHED" not in states(net.server), "the clients to have gone")


def _receive(guest: socket.socket) -> str:
    with guest:
        guest.settimeout(1.0)
        try:
            return "data" if guest.recv(1) else "closed"
        except ConnectionResetError:
            return "reset"


EXPERIMENT = Experiment(
    name="dead-entries",
    title="Clients that have gone keep their places in the accept queue",
    claim="A connection that its client closes or resets stays in the accept queue until accept() takes it, so that "
    "impatient clients keep a queue full for those who come after them.",
    run=run,
    proves=("HO103",),
)
