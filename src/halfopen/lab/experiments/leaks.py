"""Sockets that nobody closes: CLOSE_WAIT stays for ever, an orphaned FIN_WAIT_2 for tcp_fin_timeout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import states
from halfopen.lab.story import Between
from halfopen.lab.topology import pair
from halfopen.lab.traffic import close_all, connect, listen
from halfopen.lab.waiting import stopwatch, until

if TYPE_CHECKING:
    from halfopen.lab.story import Story

FIN_TIMEOUT = "net.ipv4.tcp_fin_timeout"
CLIENTS = 120
SHORT_S = 2


def run(story: Story) -> None:
    """A server that forgets to close, seen from both sides; then one that closes."""
    net = pair(story.network)
    net.client.set_sysctl(FIN_TIMEOUT, SHORT_S)
    listener = listen(net.server, net.server_address, CLIENTS)
    story.say(
        f"{CLIENTS} clients connect, are accepted, and close. The server never does: it forgot. On the clients "
        f"{FIN_TIMEOUT} is {SHORT_S}."
    )
    attempts = connect(net.client, net.server_address, CLIENTS)
    accepted = [net.server.run(listener.accept)[0] for _ in range(CLIENTS)]
    close_all(attempts)
    until(lambda: states(net.server).get("CLOSE_WAIT", 0) == CLIENTS, "the FINs to arrive")
    doctor = Examination.begin(net.server)
    elapsed = stopwatch()
    story.expect("CLOSE_WAIT on the server", CLIENTS, states(net.server).get("CLOSE_WAIT", 0))
    story.expect("FIN_WAIT2 on the client", CLIENTS, states(net.client).get("FIN_WAIT2", 0))
    until(lambda: states(net.client).get("FIN_WAIT2", 0) == 0, "the client's orphans to go", 30.0)
    story.expect("seconds until the client's kernel let go of them", Between(SHORT_S - 1, SHORT_S + 15), elapsed())
    story.expect("TIME_WAIT that they left on the client: none was reached", 0, states(net.client).get("TIME_WAIT", 0))
    story.expect("CLOSE_WAIT on the server, which no setting ends", CLIENTS, states(net.server).get("CLOSE_WAIT", 0))

    doctor.expect(story, "HO701", found=True)

    story.remedy("Close the socket when recv() has returned nothing: a change in the application. No setting does it.")
    for connection in accepted:
        connection.close()
    until(lambda: states(net.server).get("CLOSE_WAIT", 0) == 0, "the server's sockets to go")
    story.expect("CLOSE_WAIT on the server", 0, states(net.server).get("CLOSE_WAIT", 0))
    doctor.expect(story, "HO701", found=False)
    listener.close()


EXPERIMENT = Experiment(
    name="leaks",
    title="CLOSE_WAIT stays until the application closes; an orphaned FIN_WAIT_2 goes by itself",
    claim="A connection that its application does not close stays in CLOSE_WAIT for ever, whatever the settings; "
    "tcp_fin_timeout bounds only the orphaned FIN_WAIT_2 of the side that did close.",
    run=run,
    proves=("HO701", "HO702"),
)
