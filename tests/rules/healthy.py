"""Healthy hosts: whatever the doctor finds on one of them above ``notice`` is a false alarm.

Each function prepares the hosts and gives the one to look at.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from halfopen.lab.observe import read_counters, states
from halfopen.lab.topology import add_addresses
from halfopen.lab.traffic import Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.hosts import Hosts

    from halfopen.lab.namespace import Namespace

NGINX = """
daemon off; worker_processes 2; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; server {{ listen 80{options}; location / {{ return 200 "hello"; }} }} }}
"""
TIME_WAIT = 100_000
#: A client draws its ports at random from half of the range, 14 116; so many draws leave some 10 200 different ones.
SOURCES, CONNECTS_EACH = 10, 18_000


def idle(hosts: Hosts) -> Namespace:
    """Nothing but a listener."""
    hosts.serve(22, "--backlog", "128")
    return hosts.server


def nginx_busy(hosts: Hosts, options: str = "") -> Namespace:
    """A web server (nginx) under 500 short connections a second."""
    directory = hosts.stack.enter_context(TemporaryDirectory())
    Path(directory, "nginx.conf").write_text(NGINX.format(directory=directory, options=options), encoding="utf-8")
    hosts.spawn(hosts.server, "nginx", "-c", f"{directory}/nginx.conf", "-e", f"{directory}/error.log")
    hosts.listening(hosts.server, 80)
    hosts.load(80, "--http", "/", "--rate", "500", "--for", "20s", "--close", "server-first")
    until(lambda: _opened(hosts.server) > 200, "the load to begin", 20.0)
    return hosts.server


def nginx_reuseport(hosts: Hosts) -> Namespace:
    """The same with a listener for each worker."""
    return nginx_busy(hosts, " reuseport")


def client_keep_alive(hosts: Hosts) -> Namespace:
    """A client with 400 connections that it uses again and again."""
    hosts.serve(80, "--http", "hello")
    hosts.load(80, "--http", "/", "--reuse", "100000", "-c", "400", "--for", "20s")
    until(lambda: states(hosts.client).get("ESTABLISHED", 0) >= 350, "the connections", 20.0)
    return hosts.client


def server_time_wait(hosts: Hosts) -> Namespace:
    """A server with 100 000 connections in TIME_WAIT that it closed first."""
    sources = [(f"198.51.100.{number}", 24) for number in range(1, SOURCES + 1)]
    hosts.client.run(add_addresses, hosts.ends[0].interface, sources)
    hosts.server.run(add_addresses, hosts.ends[1].interface, [("198.51.100.254", 24)])
    hosts.serve(8001, "--http", "hello", "--close", "fin", address="198.51.100.254")
    options = [part for source, _ in sources for part in ("--source", source)]
    total = str(SOURCES * CONNECTS_EACH)
    load = hosts.load(
        8001, "--http", "/", "-c", "50", "-n", total, "--close", "server-first", *options, address="198.51.100.254"
    )
    assert load.wait(120) == 0
    assert states(hosts.server).get("TIME_WAIT", 0) >= TIME_WAIT
    return hosts.server


def database_pool(hosts: Hosts) -> Namespace:
    """Redis with fifty clients that stay connected and ask now and then; looked at from the server."""
    hosts.spawn(
        hosts.server, "redis-server", "--bind", hosts.address, "--protected-mode", "no", "--save", "", "--dir", "/tmp"
    )
    hosts.listening(hosts.server, 6379)
    clients = [one.socket for one in connect(hosts.client, Target(hosts.address, 6379), 50)]
    stop = threading.Event()

    def ask() -> None:
        while not stop.is_set():
            for client in clients:
                client.setblocking(True)  # noqa: FBT003  (the library's signature)
                client.sendall(b"PING\r\n")
                client.recv(64)

    thread = threading.Thread(target=ask)
    thread.start()
    for client in clients:
        hosts.stack.callback(client.close)
    hosts.stack.callback(thread.join)
    hosts.stack.callback(stop.set)
    return hosts.server


def idle_connections(hosts: Hosts) -> Namespace:
    """A server with 2000 connections that say nothing, as behind web sockets."""
    hosts.serve(80, "--echo")
    for _ in range(4):
        attempts = connect(hosts.client, Target(hosts.address, 80), 500)
        hosts.stack.callback(close_all, attempts)
    until(lambda: states(hosts.server).get("ESTABLISHED", 0) == 2000, "the connections", 20.0)
    return hosts.server


def health_checks(hosts: Hosts) -> Namespace:
    """A server that a load balancer connects to and leaves, fifty times a second, without a word."""
    hosts.serve(80, "--echo")
    hosts.load(80, "--rate", "50", "--for", "20s", "--close", "rst")
    until(lambda: _opened(hosts.server) > 20, "the checks to begin", 20.0)
    return hosts.server


def proxy_tuned(hosts: Hosts) -> Namespace:
    """A client that was tuned with care: wide range, services reserved, tw_reuse, timestamps, and it closes first."""
    for key, value in {
        "net.ipv4.ip_local_port_range": "10240 60999",
        "net.ipv4.ip_local_reserved_ports": "10250-10260,15000-15100",
        "net.ipv4.tcp_tw_reuse": "1",
        "net.core.somaxconn": "65535",
    }.items():
        hosts.client.set_sysctl(key, value)
    hosts.serve(80, "--http", "hello")
    hosts.load(80, "--http", "/", "--rate", "80", "--for", "20s", "--close", "fin")
    until(lambda: states(hosts.client).get("TIME_WAIT", 0) > 40, "the load to begin", 20.0)
    return hosts.client


def firewall(hosts: Hosts) -> Namespace:
    """A server behind a firewall that tracks connections, lets its service in, and drops the rest."""
    hosts.nft(
        hosts.server,
        """table inet filter {
            chain input {
                type filter hook input priority 0; policy drop;
                iif lo accept
                ct state established,related accept
                ct state invalid counter drop
                tcp dport 80 ct state new counter accept
                counter
            }
        }""",
    )
    hosts.serve(80, "--http", "hello")
    hosts.load(80, "--http", "/", "--rate", "200", "--for", "20s")
    until(lambda: _opened(hosts.server) > 100, "the load to begin", 20.0)
    return hosts.server


def deferred(hosts: Hosts) -> Namespace:
    """A server with TCP_DEFER_ACCEPT under a load of clients that speak at once."""
    hosts.serve(80, "--http", "hello", "--defer-accept", "5")
    hosts.load(80, "--http", "/", "--rate", "300", "--for", "20s")
    until(lambda: _opened(hosts.server) > 100, "the load to begin", 20.0)
    return hosts.server


def dual_stack(hosts: Hosts) -> Namespace:
    """A listener on :: that serves both families, with a handful of clients."""
    listener = listen(hosts.server, "::", 128, port=80, options=[(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)])
    hosts.stack.callback(listener.close)
    for address in (hosts.address, hosts.net.server_address6):
        attempts = connect(hosts.client, Target(address, 80), 20, timeout_s=5.0)
        assert all(one.connected for one in attempts)
        hosts.stack.callback(close_all, attempts)
        for _ in attempts:
            hosts.stack.callback(listener.accept()[0].close)
    return hosts.server


HEALTHY: tuple[Callable[[Hosts], Namespace], ...] = (
    idle,
    nginx_busy,
    nginx_reuseport,
    client_keep_alive,
    server_time_wait,
    database_pool,
    idle_connections,
    health_checks,
    proxy_tuned,
    firewall,
    deferred,
    dual_stack,
)


#: Programs of others that a set-up is made of; without one it is skipped.
PROGRAMS: dict[Callable[[Hosts], Namespace], str] = {
    nginx_busy: "nginx",
    nginx_reuseport: "nginx",
    database_pool: "redis-server",
}


def _opened(host: Namespace) -> int:
    """Connections accepted since the namespace began."""
    return host.run(read_counters).get("PassiveOpens", 0)
