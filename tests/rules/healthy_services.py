"""More healthy hosts: what services do every day and a doctor must not take for trouble."""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.conftest import PROGRAM

from halfopen.lab.observe import read_counters, states
from halfopen.lab.topology import pair
from halfopen.lab.traffic import Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.hosts import Hosts

    from halfopen.lab.namespace import Namespace

PORT = 80
#: More than the usual limit of descriptors of one process.
WEB_SOCKETS = 10_000


def redis_pipelines(hosts: Hosts) -> Namespace:
    """Redis that works off pipelines of 2000 commands: much data waits in the queues of connections."""
    options = ("--bind", hosts.address, "--protected-mode", "no", "--save", "", "--dir", "/tmp")
    hosts.spawn(hosts.server, "redis-server", *options)
    hosts.listening(hosts.server, 6379)
    pipeline = b"INCR x\r\n" * 2000
    clients = [one.socket for one in connect(hosts.client, Target(hosts.address, 6379), 20)]
    for client in clients:
        client.settimeout(10)
        hosts.stack.callback(client.close)

    def ask() -> None:
        for client in clients:
            client.sendall(pipeline)
        for client in clients:
            answers = 0
            while answers < 2000:
                answers += client.recv(1 << 16).count(b"\n")

    hosts.keep_running(ask)
    return hosts.server


def without_keep_alive(hosts: Hosts) -> Namespace:
    """A server that closes each of 300 connections a second after its answer: TIME_WAIT is its own."""
    hosts.serve(PORT, "--http", "hello", "--close", "fin", "--backlog", "511")
    hosts.load(PORT, "--http", "/", "--rate", "300", "--for", "20s", "--close", "server-first")
    until(lambda: states(hosts.server).get("TIME_WAIT", 0) > 300, "TIME_WAIT", 20.0)
    return hosts.server


def web_sockets(hosts: Hosts) -> Namespace:
    """A server with 10 000 connections that say nothing."""
    hosts.serve(PORT, "--echo")
    hosts.load(
        PORT,
        "-c",
        str(WEB_SOCKETS),
        "--rate",
        "5000",
        "--for",
        "60s",
        "--send",
        "x",
        "--expect",
        "2",
        "--timeout",
        "60s",
    )
    until(lambda: states(hosts.server).get("ESTABLISHED", 0) >= WEB_SOCKETS, "the connections", 40.0)
    return hosts.server


def workers_replaced(hosts: Hosts) -> Namespace:
    """Workers with a listener each, of which the oldest is replaced by a new one all the time."""
    hosts.server.set_sysctl("net.ipv4.tcp_migrate_req", "1")
    reuse = [(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)]
    workers = [listen(hosts.server, hosts.address, 128, port=PORT, options=reuse) for _ in range(4)]

    def close() -> None:
        for worker in workers:
            worker.close()

    hosts.stack.callback(close)

    def work() -> None:
        for worker in workers:
            worker.settimeout(0.005)
            with suppress(TimeoutError):
                while True:
                    worker.accept()[0].close()
        workers.append(listen(hosts.server, hosts.address, 128, port=PORT, options=reuse))
        workers.pop(0).close()

    hosts.keep_running(work)
    hosts.load(PORT, "--rate", "200", "--for", "20s", "--send", "x", "--expect", "eof")
    until(lambda: hosts.server.run(read_counters).get("PassiveOpens", 0) > 200, "the load", 20.0)
    return hosts.server


def scanned(hosts: Hosts) -> Namespace:
    """A server with one service whose closed ports are tried one after the other."""
    hosts.serve(PORT, "--echo")

    def scan() -> None:
        for port in range(1000, 1400):
            close_all(connect(hosts.client, Target(hosts.address, port), 1))

    hosts.keep_running(scan)
    until(lambda: hosts.server.run(read_counters).get("OutRsts", 0) > 200, "the scan", 20.0)
    return hosts.server


def bulk(hosts: Hosts) -> Namespace:
    """A host that sends its backups as fast as the other side takes them: full send queues, closed windows."""
    listener = listen(hosts.client, hosts.ends[0].v4, 16, port=873)
    hosts.stack.callback(listener.close)
    senders = [one.socket for one in connect(hosts.server, Target(hosts.ends[0].v4, 873), 8)]
    takers = [listener.accept()[0] for _ in senders]
    for one in (*senders, *takers):
        one.setblocking(False)  # noqa: FBT003  (the library's signature)
        hosts.stack.callback(one.close)
    data = bytes(1 << 20)

    def move() -> None:
        for sender in senders:
            with suppress(BlockingIOError):
                sender.send(data)
        for taker in takers[::2]:  # the others have no time now: their windows are closed
            with suppress(BlockingIOError):
                taker.recv(1 << 18)

    hosts.keep_running(move)
    return hosts.server


def scrapes(hosts: Hosts) -> Namespace:
    """A monitor that asks 60 exporters, a connect each, every fraction of a second; looked at is the monitor."""
    ports = range(9100, 9160)
    listeners = [listen(hosts.server, hosts.address, 16, port=port) for port in ports]
    for listener in listeners:
        hosts.stack.callback(listener.close)

    def scrape() -> None:
        for listener, port in zip(listeners, ports, strict=True):
            attempts = connect(hosts.client, Target(hosts.address, port), 1)
            listener.accept()[0].close()
            close_all(attempts)

    hosts.keep_running(scrape)
    until(lambda: hosts.client.run(read_counters).get("ActiveOpens", 0) > 200, "the scrapes", 20.0)
    return hosts.client


def mail(hosts: Hosts) -> Namespace:
    """A server that speaks first, to clients that think for a while before they go on."""
    hosts.serve(25, "--banner")
    for _ in range(4):
        attempts = connect(hosts.client, Target(hosts.address, 25), 50)
        hosts.stack.callback(close_all, attempts)
    return hosts.server


def fast_open(hosts: Hosts) -> Namespace:
    """Fast Open as it is meant: set on both sides, asked for by the listener, used by clients."""
    hosts.server.set_sysctl("net.ipv4.tcp_fastopen", "3")
    hosts.serve(PORT, "--http", "hello", "--fast-open", "256")
    hosts.load(PORT, "--http", "/", "--rate", "100", "--for", "20s")
    until(lambda: hosts.server.run(read_counters).get("PassiveOpens", 0) > 50, "the load", 20.0)
    return hosts.server


def one_address_family(hosts: Hosts) -> Namespace:
    """A server of IPv6 alone."""
    address = hosts.net.server_address6
    hosts.serve(PORT, "--http", "hello", address=address)
    hosts.load(PORT, "--http", "/", "--rate", "100", "--for", "20s", address=f"[{address}]")
    until(lambda: hosts.server.run(read_counters).get("PassiveOpens", 0) > 50, "the load", 20.0)
    return hosts.server


def drained(hosts: Hosts) -> Namespace:
    """A service that is taken out: it listens no more, and its last connections end one by one."""
    listener = listen(hosts.server, hosts.address, 128, port=PORT)
    attempts = connect(hosts.client, Target(hosts.address, PORT), 60)
    accepted = [listener.accept()[0] for _ in attempts]
    listener.close()
    for one in accepted[:20]:
        one.close()  # the clients have not closed yet: FIN_WAIT2 without a process
    close_all(attempts[20:40])  # the service has not closed yet
    hosts.stack.callback(close_all, attempts)
    for one in accepted:
        hosts.stack.callback(one.close)
    until(lambda: states(hosts.server).get("CLOSE_WAIT", 0) == 20, "the FINs", 20.0)
    return hosts.server


def lossy_link(hosts: Hosts) -> Namespace:
    """A server whose clients come over a link of 40 ms that loses one packet in a hundred."""
    far = pair(hosts.network, relayed=True, suffix=" far away")
    assert far.link.relay is not None
    far.link.relay.set_links("delay=40ms loss=1%", "delay=40ms loss=1%")
    hosts.serve(PORT, "--http", "hello", host=far.server, address=far.server_address)
    target = f"{far.server_address}:{PORT}"
    hosts.spawn(far.client, str(PROGRAM), "load", target, "--yes-i-may", "--http", "/", "--rate", "100", "--for", "20s")
    until(lambda: far.server.run(read_counters).get("PassiveOpens", 0) > 200, "the load", 20.0)
    return far.server


def two_upstreams(hosts: Hosts) -> Namespace:
    """A proxy with 30 % of its ports in TIME_WAIT to each of two servers; looked at is the proxy."""
    hosts.client.set_sysctl("net.ipv4.ip_local_port_range", "32768 60999")
    for port in (8001, 8002):
        hosts.serve(port, "--http", "hello")
        load = hosts.load(port, "--http", "/", "-c", "8", "-n", "8000", "--close", "fin")
        assert load.wait(60) == 0
    return hosts.client


SERVICES: tuple[Callable[[Hosts], Namespace], ...] = (
    redis_pipelines,
    without_keep_alive,
    web_sockets,
    workers_replaced,
    scanned,
    bulk,
    scrapes,
    mail,
    fast_open,
    one_address_family,
    drained,
    lossy_link,
    two_upstreams,
)
