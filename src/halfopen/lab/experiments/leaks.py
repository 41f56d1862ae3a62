"""Sockets that nobody closes: CLOSE_WAIT stays for ever, an orphaned FIN_WAIT_2 for tcp_fin_timeout."""

from __future__ import annotations

import resource
import socket
from typing import TYPE_CHECKING

from halfopen.errors import NotAvailableError
from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.observe import Moment, states
from halfopen.lab.story import Between
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import close_all, connect, listen
from halfopen.lab.waiting import stopwatch, until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
CLIENTS = 120
SHORT_S = 4
#: By how much we may notice it late; the default would be 60.
LATE_S = 8
#: More than the thousand that the doctor leaves alone; so many at a time.
MANY, BATCH = 1100, 100


def run(story: Story) -> None:
    """A server that forgets to close, seen from both sides; then one that closes."""
    net = pair(story.network)
    net.client.set_sysctl(FIN_TIMEOUT, SHORT_S)
    listener = listen(net.server, net.server_address, CLIENTS + 1)
    story.say(
        f"{CLIENTS} clients connect, are accepted, and close; one more says that it has nothing to send (shutdown) and "
        f"goes on reading. The server never closes: it forgot. On the clients {FIN_TIMEOUT} is {SHORT_S}."
    )
    attempts = connect(net.client, net.server_address, CLIENTS)
    readers = connect(net.client, net.server_address)
    accepted = [net.server.run(listener.accept)[0] for _ in range(CLIENTS + 1)]
    moment, elapsed = Moment.of(net.client), stopwatch()
    close_all(attempts)
    readers[0].socket.shutdown(socket.SHUT_WR)
    until(lambda: states(net.server).get("CLOSE_WAIT", 0) == CLIENTS + 1, "the FINs to arrive")
    # The server's ACKs of them may be late by 40 ms. Then at once: a busy machine may need seconds for the doctor.
    until(lambda: states(net.client).get("FIN_WAIT1", 0) == 0, "their ACKs")
    story.expect("FIN_WAIT2 on the client", CLIENTS + 1, states(net.client).get("FIN_WAIT2", 0))
    story.expect("CLOSE_WAIT on the server", CLIENTS + 1, states(net.server).get("CLOSE_WAIT", 0))
    doctor = Examination.begin(net.server)
    until(lambda: states(net.client).get("FIN_WAIT2", 0) == 1, "the client's orphans to go", 30.0)
    story.expect("seconds until the client's kernel let go of its orphans", Between(SHORT_S - 0.1, SHORT_S + LATE_S),
                 elapsed())  # fmt: skip
    story.expect("  counted as TWKilled, since they had less than 5 s", CLIENTS, moment.since("TWKilled"))
    story.expect("FIN_WAIT2 that stays: its program is there, and may read", 1, states(net.client).get("FIN_WAIT2", 0))
    story.expect("TIME_WAIT that they left on the client: none was reached", 0, states(net.client).get("TIME_WAIT", 0))
    # One dump of the kernel's table may miss a socket while others come and go.
    until(lambda: states(net.server).get("CLOSE_WAIT", 0) == CLIENTS + 1, "every CLOSE_WAIT to be seen again")
    story.expect(
        "CLOSE_WAIT on the server, which no setting ends", CLIENTS + 1, states(net.server).get("CLOSE_WAIT", 0)
    )
    doctor.expect(story, "HO701", found=True)
    crowd = pair(story.network, suffix="2")
    with listen(crowd.server, crowd.server_address, BATCH) as door:
        many = _forget(story, crowd, door)

    story.remedy("Close the socket when recv() has returned nothing: a change in the application. No setting does it.")
    for connection in accepted:
        connection.close()
    until(lambda: states(net.server).get("CLOSE_WAIT", 0) == 0, "the server's sockets to go")
    story.expect("CLOSE_WAIT on the server", 0, states(net.server).get("CLOSE_WAIT", 0))
    doctor.expect(story, "HO701", found=False)
    for connection in many:
        connection.close()
    until(lambda: states(crowd.client).get("FIN_WAIT2", 0) == 0, "the other clients' FIN_WAIT2 to end")
    Examination.begin(crowd.client).expect(story, "HO702", found=False)
    close_all(readers)
    listener.close()


def _forget(story: Story, net: Pair, door: socket.socket) -> list[socket.socket]:
    """A crowd that closes first, and the server's ends, which nobody closes."""
    _allow_descriptors(MANY + 2 * BATCH)
    story.say(f"{MANY} clients of another such server close, with the default of {FIN_TIMEOUT}:")
    guests = []
    for _ in range(MANY // BATCH):
        attempts = connect(net.client, net.server_address, BATCH)
        guests += net.server.run(lambda: [door.accept()[0] for _ in range(BATCH)])
        close_all(attempts)
    until(lambda: states(net.client).get("FIN_WAIT2", 0) == MANY, "every FIN to be acknowledged")
    story.expect("FIN_WAIT2 without a process", MANY, states(net.client).get("FIN_WAIT2", 0))
    Examination.begin(net.client).expect(story, "HO702", found=True)
    return guests


def _allow_descriptors(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY != hard < count:
        raise NotAvailableError("cannot hold so many connections", why=f"a process may open {hard} files")
    if resource.RLIM_INFINITY != soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


EXPERIMENT = Experiment(
    name="leaks",
    title="CLOSE_WAIT stays until the application closes; an orphaned FIN_WAIT_2 goes by itself",
    claim="A connection that its application does not close stays in CLOSE_WAIT for ever, whatever the settings; "
    "tcp_fin_timeout bounds only the orphaned FIN_WAIT_2 of the side that did close.",
    run=run,
    proves=("HO701", "HO702"),
    hosts=hosts_of_pairs("", "2"),
)
