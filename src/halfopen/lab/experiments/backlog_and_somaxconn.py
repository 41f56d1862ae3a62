"""The effective backlog is the smaller of two numbers, and is fixed when listen() is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, listener_row
from halfopen.lab.topology import pair
from halfopen.lab.traffic import PORT, close_all, connect, listen

if TYPE_CHECKING:
    import socket

    from halfopen.lab.story import Story
    from halfopen.lab.topology import Pair

SOMAXCONN = "net.core.somaxconn"
LOW, HIGH, ASKED = 16, 4000, 100
CLIENTS = 60


def run(story: Story) -> None:
    """Start a listener under a low limit, raise the limit, and listen again."""
    net = pair(story.network)
    net.server.set_sysctl(SOMAXCONN, LOW)
    story.say(f"{SOMAXCONN} is {LOW} when the application starts. It asks for more: listen(fd, {ASKED}).")
    listener = listen(net.server, net.server_address, ASKED)
    story.expect("limit that the listener got: the smaller number", LOW, _limit(net))
    doctor = Examination.begin(net.server)
    net.server.set_sysctl(SOMAXCONN, HIGH)
    story.say(f"Somebody sees the drops and raises {SOMAXCONN} to {HIGH}. The application goes on running.")
    story.expect("limit of the running listener: the old one", LOW, _limit(net))
    doctor.expect(story, "HO102", found=True)
    _burst(story, net, LOW + 1)
    small = listen(net.server, net.server_address, 5, port=PORT + 1)
    story.expect("limit of a new listener whose application asks for 5", 5, _limit(net, PORT + 1))
    small.close()

    story.remedy(
        f"Call listen(fd, {ASKED}) again, which a reload or a restart of the application does. It may be called on the "
        "same socket, without an interruption."
    )
    again: socket.socket = listener
    net.server.run(again.listen, ASKED)
    story.expect("limit of the listener", ASKED, _limit(net))
    doctor.expect(story, "HO102", found=False)
    _burst(story, net, CLIENTS)
    listener.close()


def _limit(net: Pair, port: int = PORT) -> int:
    return int(listener_row(net.server, port)["accept_queue_limit"])


def _burst(story: Story, net: Pair, connected: int) -> None:
    """Open connections that nobody accepts; those that fit stay in the queue, and count the next time."""
    waiting = listener_row(net.server)["accept_queue"]
    moment = Moment.of(net.server)
    attempts = connect(
        net.client,
        net.server_address,
        CLIENTS - waiting,
        until=lambda now: sum(a.connected for a in now) >= connected - waiting,
        timeout_s=0.9,
    )
    story.expect(
        f"of {CLIENTS} clients at once, in the accept queue",
        connected,
        listener_row(net.server)["accept_queue"],
    )
    if connected == CLIENTS:
        story.expect("ListenOverflows", 0, moment.since("ListenOverflows"))
    close_all(attempts)


EXPERIMENT = Experiment(
    name="backlog-and-somaxconn",
    title="Raising somaxconn does nothing for a listener that runs",
    claim="The limit of an accept queue is the smaller of listen()'s argument and net.core.somaxconn at that moment; "
    "it stays so until listen() is called again.",
    run=run,
    proves=("HO102",),
)
