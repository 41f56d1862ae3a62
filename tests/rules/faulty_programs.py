"""More hosts with one fault each: programs that do not accept, share badly, or leave things behind."""

from __future__ import annotations

import os
import signal
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.conftest import PROGRAM

from halfopen.lab.observe import census, read_counters, states
from halfopen.lab.traffic import Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.hosts import Hosts

    from halfopen.lab.namespace import Namespace

PORT = 8000
REUSE = [(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)]


def counted(host: Namespace, name: str) -> int:
    """A counter of TCP inside."""
    return host.run(read_counters).get(name, 0)


def no_descriptors(hosts: Hosts) -> Namespace:
    """A program that may have 24 files open: accept() fails, and the queue fills."""
    serve = [str(PROGRAM), "serve", "--address", hosts.address, "--port", str(PORT), "--no-events", "--echo"]
    hosts.spawn(hosts.server, "prlimit", "--nofile=40:40", *serve, "--backlog", "8")
    hosts.listening(hosts.server, PORT)
    # Connections that stay: two bytes are waited for, and one comes back.
    hosts.load(PORT, "-c", "100", "--rate", "50", "--for", "20s", "--send", "x", "--expect", "2", "--timeout", "30s")
    until(lambda: max(row["accept_queue"] for row in census(hosts.server)["listeners"]) > 8, "the queue to fill", 20.0)
    return hosts.server


def stopped(hosts: Hosts) -> Namespace:
    """A process that somebody has stopped."""
    server = hosts.spawn(
        hosts.server,
        str(PROGRAM),
        "serve",
        "--address",
        hosts.address,
        "--port",
        str(PORT),
        "--no-events",
        "--backlog",
        "8",
    )
    hosts.listening(hosts.server, PORT)
    os.kill(server.pid, signal.SIGSTOP)
    hosts.stack.callback(os.kill, server.pid, signal.SIGCONT)
    hosts.load(PORT, "--rate", "20", "--for", "20s", "--timeout", "5s")
    until(lambda: counted(hosts.server, "ListenOverflows") > 0, "the queue to fill", 20.0)
    return hosts.server


def stale_backlog(hosts: Hosts) -> Namespace:
    """The limit somaxconn was raised while the program, which asks for 4096, went on with the old limit."""
    hosts.server.set_sysctl("net.core.somaxconn", "16")
    hosts.serve(PORT, "--backlog", "4096", "--accept-rate", "50")
    hosts.server.set_sysctl("net.core.somaxconn", "4096")
    hosts.load(PORT, "--rate", "200", "--for", "20s", "--timeout", "5s")
    until(lambda: counted(hosts.server, "ListenOverflows") > 0, "the queue to fill", 20.0)
    return hosts.server


def one_worker_sleeps(hosts: Hosts) -> Namespace:
    """Two listeners of one SO_REUSEPORT group, of which one is never accepted from."""
    awake, asleep = (listen(hosts.server, hosts.address, 16, port=PORT, options=REUSE) for _ in range(2))
    hosts.stack.callback(awake.close)
    hosts.stack.callback(asleep.close)
    awake.settimeout(0.05)

    def take() -> None:
        with suppress(TimeoutError):
            awake.accept()[0].close()

    hosts.keep_running(take)
    attempts = connect(hosts.client, Target(hosts.address, PORT), 60, timeout_s=1.0)
    hosts.stack.callback(close_all, attempts)
    until(lambda: counted(hosts.server, "ListenOverflows") > 0, "the queue to fill", 20.0)
    return hosts.server


def deferred_clients(hosts: Hosts) -> Namespace:
    """TCP_DEFER_ACCEPT, and clients that wait for the server to speak first: they fill the SYN queue."""
    hosts.serve(PORT, "--defer-accept", "60", "--backlog", "16")
    attempts = connect(hosts.client, Target(hosts.address, PORT), 40, timeout_s=2.0)
    hosts.stack.callback(close_all, attempts)
    return hosts.server


def time_wait_cliff(hosts: Hosts) -> Namespace:
    """A client that closes first, a thousand ports, and six hundred of them in TIME_WAIT to one destination."""
    hosts.client.set_sysctl("net.ipv4.ip_local_port_range", "40000 40999")
    hosts.serve(PORT, "--http", "hello")
    load = hosts.load(PORT, "--http", "/", "-c", "4", "-n", "600", "--close", "fin")
    assert load.wait(60) == 0
    return hosts.client


def fin_wait2(hosts: Hosts) -> Namespace:
    """A program that shuts its side down and keeps the sockets, whose clients never close."""
    listener = listen(hosts.server, hosts.address, 4000, port=PORT)
    attempts = connect(hosts.client, Target(hosts.address, PORT), 1200)
    accepted = [listener.accept()[0] for _ in attempts]
    hosts.stack.callback(close_all, attempts)
    for one in (listener, *accepted):
        hosts.stack.callback(one.close)
    for one in accepted:
        one.shutdown(socket.SHUT_WR)
    until(lambda: states(hosts.server).get("FIN_WAIT2", 0) == 1200, "FIN_WAIT2", 20.0)
    return hosts.server


def abort_on_overflow(hosts: Hosts) -> Namespace:
    """The queue overflows, and the setting that was to help resets clients."""
    hosts.server.set_sysctl("net.ipv4.tcp_abort_on_overflow", "1")
    hosts.serve(PORT, "--backlog", "4", "--never-accept")
    hosts.load(PORT, "--rate", "100", "--for", "20s", "--timeout", "5s")
    until(lambda: counted(hosts.server, "ListenOverflows") > 20, "the queue to fill", 20.0)
    return hosts.server


def both_families(hosts: Hosts) -> Namespace:
    """A listener on :: whose queue clients of IPv4 and IPv6 fill together."""
    listener = listen(hosts.server, "::", 6, port=PORT, options=[(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)])
    hosts.stack.callback(listener.close)
    attempts = [
        attempt
        for address in (hosts.address, hosts.net.server_address6)
        for attempt in connect(hosts.client, Target(address, PORT), 5, timeout_s=1.0)
    ]
    hosts.stack.callback(close_all, attempts)
    until(lambda: max(row["accept_queue"] for row in census(hosts.server)["listeners"]) > 6, "the queue to fill", 20.0)
    return hosts.server


def answers_dropped(hosts: Hosts) -> Namespace:
    """A rule at the server's output that swallows its SYN-ACKs."""
    hosts.serve(PORT, "--echo")
    hosts.nft(
        hosts.server,
        "table inet f {\n chain o {\n type filter hook output priority 0;\n tcp sport 8000 counter drop\n }\n}",
    )
    attempts = connect(hosts.client, Target(hosts.address, PORT), 60, timeout_s=0.2)
    hosts.stack.callback(close_all, attempts)
    until(lambda: states(hosts.server).get("SYN_RECV", 0) == 60, "half-open requests", 20.0)
    return hosts.server


def syns_dropped(hosts: Hosts) -> Namespace:
    """A rule at the server's input that drops SYNs to a service, and counts them."""
    hosts.serve(PORT, "--echo")
    hosts.nft(
        hosts.server,
        "table inet f {\n chain i {\n type filter hook input priority 0;\n tcp dport 8000 counter drop\n }\n}",
    )
    hosts.load(PORT, "--rate", "20", "--for", "20s", "--timeout", "3s")
    until(lambda: states(hosts.client).get("SYN_SENT", 0) > 10, "SYNs without an answer", 20.0)
    return hosts.server


def overloaded(hosts: Hosts) -> Namespace:
    """Far more real clients than a short backlog holds half-open: cookies for them all."""
    hosts.serve(PORT, "--backlog", "2", "--accept-delay", "20ms")
    hosts.load(PORT, "--rate", "400", "--for", "20s", "--timeout", "5s", "-c", "2000")
    until(lambda: counted(hosts.server, "ListenOverflows") > 50, "the queue to fill", 20.0)
    return hosts.server


def reset_in_the_queue(hosts: Hosts) -> Namespace:
    """Impatient clients: the accept queue is full of connections that they have reset."""
    hosts.serve(PORT, "--backlog", "10", "--never-accept")
    attempts = connect(hosts.client, Target(hosts.address, PORT), 11, timeout_s=2.0)
    for attempt in attempts:
        attempt.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    close_all(attempts)
    return hosts.server


PROGRAMS_AT_FAULT: tuple[tuple[Callable[[Hosts], Namespace], str], ...] = (
    (no_descriptors, "HO101"),
    (stopped, "HO101"),
    (stale_backlog, "HO101"),
    (one_worker_sleeps, "HO110"),
    (deferred_clients, "HO112"),
    (time_wait_cliff, "HO302"),
    (fin_wait2, "HO702"),
    (abort_on_overflow, "HO107"),
    (both_families, "HO101"),
    (answers_dropped, "HO115"),
    (syns_dropped, "HO605"),
    (overloaded, "HO101"),
    (reset_in_the_queue, "HO103"),
)
