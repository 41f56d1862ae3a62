"""Many clients behind one address: what the clock of one makes of the TIME_WAIT of another, and who can end it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab.experiment import Experiment
from halfopen.lab.observe import Moment, states
from halfopen.lab.programs import nft
from halfopen.lab.recording import Recording
from halfopen.lab.story import AtLeast, Between
from halfopen.lab.topology import add_addresses, add_route
from halfopen.lab.traffic import PORT, Attempt, Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from halfopen.lab.namespace import Namespace
    from halfopen.lab.story import Story

TIMESTAMPS = "net.ipv4.tcp_timestamps"
#: How long the router's packet filter remembers a connection that has ended; the key is the router's, not TCP's.
FORGET = "net.netfilter.nf_conntrack_tcp_timeout_time_wait"
SHORT_S = 1
#: The states that a connection's end may be in for the router, which does not see when an end has taken a packet: on a
#: busy machine a FIN that is sent again leaves it in another one than TIME_WAIT.
ENDS = tuple(
    FORGET.replace("time_wait", state) for state in ("time_wait", "fin_wait", "close_wait", "last_ack", "close")
)
FORGOTTEN_WITHIN_S = 20.0
#: Each has a clock of its own, and half of them are behind their neighbour's.
CLIENTS = 16
FIRST_PORT = 41000
AT_ONCE_S = Between(0, 0.5)
#: Long enough for three SYNs.
PATIENCE_S = 2.5
RFC1337 = "net.ipv4.tcp_rfc1337"

MASQUERADE = """table ip nat {
    chain out { type nat hook postrouting priority srcnat
        oifname "link1" masquerade
    }
}"""


@dataclass(frozen=True, slots=True)
class Net:
    """Clients of a private network, a router with one address outside, and a server."""

    clients: Namespace
    router: Namespace
    server: Namespace
    address: str
    """Of the server."""


def run(story: Story) -> None:
    """Give the ports of some clients to others, in each way; then let the router remember."""
    net = _build(story)
    with listen(net.server, net.address, 4 * CLIENTS) as listener:
        story.say(
            f"A router hides {2 * CLIENTS} clients behind one address (nft masquerade). {CLIENTS} of them connect, and "
            "the server closes first: it keeps TIME_WAIT for 60 s. The router forgets them after "
            f"{SHORT_S} s ({FORGET}), and gives their ports to {CLIENTS} others, whose clocks are not the same."
        )
        defaults = {key: net.router.sysctl(key) for key in ENDS}
        _remember(net.router, dict.fromkeys(ENDS, SHORT_S))
        _judge(story, net, listener, 1)
        story.say(
            "A SYN whose time stamp is older than the last one of the connection in TIME_WAIT is rejected (PAWS, "
            "RFC 7323) and answered with an ACK. The client resets that, which ends TIME_WAIT, and its next SYN is "
            f"taken. With {TIMESTAMPS} = 0 on the clients the ISN decides instead, which is of as many minds:"
        )
        net.clients.set_sysctl(TIMESTAMPS, 0)
        _judge(story, net, listener, 2)
        net.clients.set_sysctl(TIMESTAMPS, 1)
        net.server.set_sysctl(RFC1337, 1)
        story.say(f"With {RFC1337} = 1 on the server, which hardening guides ask for, such a RST ends nothing:")
        _judge(story, net, listener, 3)

        story.remedy(
            f"Leave {RFC1337} at 0. Let the router remember for longer than the server's 60 s: {FORGET} = "
            f"{defaults[FORGET]}, its default. It then gives such a port to nobody else."
        )
        net.server.set_sysctl(RFC1337, 0)
        _judge(story, net, listener, 4)
        _remember(net.router, defaults)
        story.say("And with a router that remembers:")
        _judge(story, net, listener, 5, given=0)


def _build(story: Story) -> Net:
    names = ("clients", "router", "server")
    clients, router, server = (story.network.host(name) for name in names)
    inside, outside = story.network.connect(clients, router), story.network.connect(router, server)
    clients.run(add_route, "default", gateway=inside.ends[1].v4)
    clients.run(add_addresses, inside.ends[0].interface, [(_address(number), 32) for number in range(2 * CLIENTS)])
    router.run(add_route, "10.0.0.0/24", gateway=inside.ends[0].v4)
    router.set_sysctl("net.ipv4.ip_forward", 1)
    nft(router, MASQUERADE)
    return Net(clients, router, server, outside.ends[1].v4)


def _remember(router: Namespace, timeouts_s: Mapping[str, int | str]) -> None:
    for key, value in timeouts_s.items():
        router.set_sysctl(key, value)


def _address(number: int) -> str:
    return f"10.0.0.{number + 1}"


def _judge(story: Story, net: Net, listener: socket.socket, turn: int, *, given: int = CLIENTS) -> None:
    """One round of clients, and another that comes with the same ports, of which the router gives it so many."""
    port = FIRST_PORT + turn * CLIENTS
    protected = net.server.sysctl(RFC1337)
    # Meanwhile a FIN that a busy machine sends twice may not end a TIME_WAIT.
    net.server.set_sysctl(RFC1337, 1)
    close_all(_visit(net, listener, 0, port))
    net.server.set_sysctl(RFC1337, protected)
    if given:
        until(lambda: not _remembered(net.router), "the router to forget", FORGOTTEN_WITHIN_S)
    story.expect("ports in TIME_WAIT on the server", CLIENTS, _waiting(net, port))
    moment, packets = Moment.of(net.server), Recording(net.server, ports=[PORT])
    attempts = _visit(net, listener, CLIENTS, port)
    connected = [attempt.seconds for attempt in attempts if attempt.connected]
    rows = packets.handshakes()
    again = sum((row.syn_sent or 0) > 1 for row in rows)
    same = {row.client_port for row in rows} & set(range(port, port + CLIENTS))
    story.expect("  that the router gave to others", given, len(same))
    story.expect("clients that had to send their SYN again", AtLeast(1) if given else 0, again)
    _tell_rejected(story, net, moment, again)
    stuck = again if net.server.sysctl(RFC1337) == "1" else 0
    story.expect(f"clients that were connected within {PATIENCE_S} s", CLIENTS - stuck, len(connected))
    story.expect("  the last of them after: seconds", AT_ONCE_S, max(each for each in connected if each is not None))


def _tell_rejected(story: Story, net: Net, moment: Moment, again: int) -> None:
    """PAWSTimewait since Linux 6.14; PAWSEstab before."""
    name = "PAWSTimewait" if "PAWSTimewait" in moment.counters else "PAWSEstab"
    has_timestamps = net.clients.sysctl(TIMESTAMPS) == "1"
    # A client that is stuck sends more than once; a FIN that comes again late counts, too, where no SYN does.
    if again or not has_timestamps:
        expected = AtLeast(again) if has_timestamps else 0
        story.expect(f"SYNs that the server rejected by time stamp ({name})", expected, moment.since(name))


def _visit(net: Net, listener: socket.socket, first: int, port: int) -> list[Attempt]:
    """Clients from ``first`` on, each from a port of its own; the server closes first."""
    tasks = [
        net.clients.start(
            connect,
            net.clients,
            Target(net.address, bind=(_address(first + number), port + number)),
            timeout_s=PATIENCE_S,
        )
        for number in range(CLIENTS)
    ]
    attempts = [task.result()[0] for task in tasks]
    for _ in range(sum(attempt.connected for attempt in attempts)):
        net.server.run(listener.accept)[0].close()
    close_all(attempts)
    until(lambda: not states(net.server).keys() & {"FIN_WAIT1", "FIN_WAIT2", "CLOSING"}, "the clients to close")
    return attempts


def _remembered(router: Namespace) -> int:
    """Connections that were open; an attempt that is stuck is remembered as one that was not."""
    counts = router.run(_core.conntrack_counts)
    return counts["assured"] if counts is not None else 0


def _waiting(net: Net, port: int) -> int:
    rows = net.server.run(_core.tcp_sockets, ["TIME_WAIT"])
    return sum(row["remote_port"] in range(port, port + CLIENTS) for row in rows)


EXPERIMENT = Experiment(
    name="clients-behind-nat",
    title="Behind a NAT, one client meets the TIME_WAIT of another",
    claim="A server rejects the SYN of a client that got another one's port from a NAT when its time stamp or ISN is "
    "behind; the client resets the answer and is connected some milliseconds later, unless tcp_rfc1337=1 ignores that "
    "RST; a NAT that remembers longer than TIME_WAIT lasts does not give such a port away.",
    run=run,
    hosts=("clients", "router", "server"),
)
