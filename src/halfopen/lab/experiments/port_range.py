"""Where outgoing connections take their ports from: a range that is too small, and one that covers a service's port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lab.examine import Examination
from halfopen.lab.experiment import Experiment, hosts_of_pairs
from halfopen.lab.topology import Pair, pair
from halfopen.lab.traffic import BY_RST, PORT, Attempt, Target, close_all, connect, error_name, listen

if TYPE_CHECKING:
    import socket

    from halfopen.lab.story import Story
    from halfopen.model.finding import Finding

RANGE = "net.ipv4.ip_local_port_range"
LOW, PORTS = 33_000, 200
#: A range of four ports that begins with the service's: the first connects take it, and need no luck for it.
OVER_SERVICE = f"{PORT} {PORT + 3}"
ROUND = 60
EXCHANGES = 20


def run(story: Story) -> None:
    """A client that opens and opens; then a service that is restarted while its host connects elsewhere."""
    net = pair(story.network)
    other = pair(story.network, suffix="2")
    with listen(net.server, net.server_address, 4 * PORTS) as listener, listen(other.server, other.server_address, 8):
        small, kept = _small(story, net)
        service = _over_a_service(story, other)
        story.remedy(
            "Give connections the default range and use them again; reserve the ports of services: they are then not "
            "chosen, and can still be bound."
        )
        _wide(story, net, listener, small, kept)
        _reserved(story, other, service)


def _small(story: Story, net: Pair) -> tuple[Finding | None, list[Attempt]]:
    net.client.set_sysctl(RANGE, f"{LOW} {LOW + PORTS - 1}")
    story.say(f"{RANGE} of the client holds {PORTS} ports. It opens connections and keeps them.")
    small = Examination.begin(net.client).expect(story, "HO310", found=True)
    kept = connect(net.client, net.server_address, ROUND)
    doctor = Examination.begin(net.client)
    kept += connect(net.client, net.server_address, ROUND)
    doctor.expect(story, "HO303", found=True)
    kept += connect(net.client, net.server_address, ROUND * 2)
    story.expect("connects that found a port", PORTS, sum(attempt.connected for attempt in kept))
    story.expect("the others were told", "EADDRNOTAVAIL", kept[-1].error)
    return small, kept


def _wide(story: Story, net: Pair, listener: socket.socket, small: Finding | None, kept: list[Attempt]) -> None:
    doctor = Examination.begin(net.client)
    doctor.cure(story, small)
    story.say(f"And as the other one says, a connection is used again: {EXCHANGES} exchanges over one.")
    _exchange(net, listener, kept[0])
    doctor.expect(story, "HO303", found=False)
    doctor.expect(story, "HO310", found=False)
    (one,) = connect(net.client, net.server_address)
    story.expect("one more connection finds a port", 1, int(one.connected))
    close_all([one, *kept])


def _exchange(net: Pair, listener: socket.socket, attempt: Attempt) -> None:
    """Requests and answers over the first connection: no connect() and no port."""
    guest, _ = net.server.run(listener.accept)
    with guest:
        for _ in range(EXCHANGES):
            attempt.socket.send(b"?")
            assert guest.recv(1) == b"?"
            guest.send(b"!")


def _over_a_service(story: Story, net: Pair) -> Finding | None:
    net.client.set_sysctl(RANGE, OVER_SERVICE)
    story.say(f"On another host, {RANGE} is {OVER_SERVICE}, and a service listens on port {PORT}.")
    service = listen(net.client, net.client_address, 8)
    found = Examination.begin(net.client).expect(story, "HO211", found=True)
    service.close()
    story.say("It is restarted. Meanwhile the host connects elsewhere, as often as there are ports.")
    story.expect("the service was told when it started again", "EADDRINUSE", _restart(net))
    return found


def _reserved(story: Story, net: Pair, found: Finding | None) -> None:
    doctor = Examination.begin(net.client)
    doctor.cure(story, found)
    story.expect("the service was told when it started again", "no error", _restart(net))
    with listen(net.client, net.client_address, 8):
        doctor.expect(story, "HO211", found=False)


def _restart(net: Pair) -> str:
    """The error of a service that starts while connections have taken what ports they can."""
    # A TIME_WAIT of theirs on the port would hold the service up for another minute.
    attempts = connect(net.client, Target(net.server_address, options=(BY_RST,)), 4)
    try:
        listen(net.client, net.client_address, 8).close()
    except OSError as error:
        return error_name(error.errno)
    finally:
        close_all(attempts)
    return "no error"


EXPERIMENT = Experiment(
    name="port-range",
    title="The range of local ports: too small, and over a service's port",
    claim="A range of 200 ports lets 200 connections to one destination exist, and the next connect fails; a range "
    "over a service's port lets a connection take it while the service is restarted, unless it is reserved.",
    run=run,
    proves=("HO211", "HO303", "HO310"),
    hosts=hosts_of_pairs("", "2"),
)
