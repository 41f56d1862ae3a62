"""Hosts with one fault each, and the rule that has to find it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from halfopen import _core
from halfopen.lab.observe import census, read_counters, states
from halfopen.lab.spoofing import SOURCES
from halfopen.lab.topology import add_route
from halfopen.lab.traffic import Target, close_all, connect, listen
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.hosts import Hosts

    from halfopen.lab.namespace import Namespace

PORT = 8000


def accept_queue_overflow(hosts: Hosts) -> Namespace:
    """Nobody accepts, and clients keep coming."""
    hosts.serve(PORT, "--backlog", "5", "--never-accept")
    hosts.load(PORT, "--rate", "20", "--for", "20s", "--timeout", "5s")
    until(lambda: _queue(hosts.server) > 5, "the queue to fill", 20.0)
    return hosts.server


def burst(hosts: Hosts) -> Namespace:
    """The server accepts slowly, 50 a second of 200 that come."""
    hosts.serve(PORT, "--backlog", "8", "--accept-rate", "50")
    hosts.load(PORT, "--rate", "200", "--for", "20s", "--timeout", "5s")
    until(lambda: _queue(hosts.server) >= 8, "the queue to fill", 20.0)
    return hosts.server


def slow_accept(hosts: Hosts) -> Namespace:
    """A few wait for an application that has stopped to accept."""
    hosts.serve(PORT, "--backlog", "100", "--never-accept")
    attempts = connect(hosts.client, Target(hosts.address, PORT), 5)
    hosts.stack.callback(close_all, attempts)
    until(lambda: _oldest_ms(hosts.server) >= 1000, "a connection to have waited for a second", 20.0)
    return hosts.server


def ports_exhausted(hosts: Hosts) -> Namespace:
    """Every port of a small range is in use for one destination."""
    hosts.client.set_sysctl("net.ipv4.ip_local_port_range", "40000 40019")
    hosts.serve(PORT, "--echo")
    attempts = connect(hosts.client, Target(hosts.address, PORT), 20)
    hosts.stack.callback(close_all, attempts)
    return hosts.client


def ports_past_half(hosts: Hosts) -> Namespace:
    """Sixty of a hundred ports."""
    hosts.client.set_sysctl("net.ipv4.ip_local_port_range", "40000 40099")
    hosts.serve(PORT, "--echo")
    attempts = connect(hosts.client, Target(hosts.address, PORT), 60)
    hosts.stack.callback(close_all, attempts)
    return hosts.client


def unanswered(hosts: Hosts) -> Namespace:
    """Connects to a server that drops them."""
    hosts.nft(
        hosts.server, "table ip f {\n chain i {\n type filter hook input priority 0;\n tcp dport 8000 drop\n }\n}"
    )
    attempts = connect(hosts.client, Target(hosts.address, PORT), 12, timeout_s=1.5)
    hosts.stack.callback(close_all, attempts)
    return hosts.client


def spoofed_flood(hosts: Hosts) -> Namespace:
    """A SYN flood from forged addresses, with cookies."""
    _flood(hosts)
    until(lambda: _counter(hosts.server, "SyncookiesSent") > 100, "cookies", 20.0)
    return hosts.server


def flood_without_cookies(hosts: Hosts) -> Namespace:
    """The same without cookies."""
    hosts.server.set_sysctl("net.ipv4.tcp_syncookies", "0")
    _flood(hosts)
    until(lambda: _counter(hosts.server, "TCPReqQFullDrop") > 100, "drops", 20.0)
    return hosts.server


def three_quarters(hosts: Hosts) -> Namespace:
    """Without cookies, and three quarters of tcp_max_syn_backlog taken."""
    hosts.server.set_sysctl("net.ipv4.tcp_syncookies", "0")
    hosts.server.set_sysctl("net.ipv4.tcp_max_syn_backlog", "64")
    _flood(hosts, backlog=4096)
    until(lambda: _counter(hosts.server, "ListenDrops") > 100, "drops", 20.0)
    return hosts.server


def no_route_back(hosts: Hosts) -> Namespace:
    """SYNs from addresses to which the server has no route."""
    hosts.serve(PORT, "--echo")
    _send_flood(hosts, rate=100)
    until(lambda: _counter(hosts.server, "ListenDrops") > 5, "drops", 20.0)
    return hosts.server


def reverse_path(hosts: Hosts) -> Namespace:
    """Strict reverse path filtering, and packets from elsewhere."""
    hosts.server.set_sysctl(f"net.ipv4.conf.{hosts.ends[1].interface}.rp_filter", "1")
    hosts.serve(PORT, "--echo")
    _send_flood(hosts, rate=100)
    until(lambda: _counter(hosts.server, "IPReversePathFilter") > 5, "drops", 20.0)
    return hosts.server


def syn_limit(hosts: Hosts) -> Namespace:
    """The firewall rule of a thousand blogs."""
    hosts.serve(PORT, "--echo")
    for rule in (
        ["-p", "tcp", "--syn", "-m", "limit", "--limit", "10/s", "-j", "ACCEPT"],
        ["-p", "tcp", "--syn", "-j", "DROP"],
    ):
        hosts.server.run(subprocess.run, ["iptables", "-A", "INPUT", *rule], check=True, capture_output=True)
    hosts.load(PORT, "--rate", "100", "--for", "20s", "--timeout", "5s")
    until(lambda: _counter(hosts.server, "PassiveOpens") > 5, "the load to begin", 20.0)
    return hosts.server


def close_wait(hosts: Hosts) -> Namespace:
    """A program that forgets to close."""
    listener = listen(hosts.server, hosts.address, 200, port=PORT)
    attempts = connect(hosts.client, Target(hosts.address, PORT), 120)
    accepted = [listener.accept()[0] for _ in attempts]
    for one in (listener, *accepted):
        hosts.stack.callback(one.close)
    close_all(attempts)
    until(lambda: states(hosts.server).get("CLOSE_WAIT", 0) == 120, "the FINs to arrive", 20.0)
    return hosts.server


def time_wait_overflow(hosts: Hosts) -> Namespace:
    """A limit of ten for TIME_WAIT, and the server closes first."""
    hosts.server.set_sysctl("net.ipv4.tcp_max_tw_buckets", "10")
    hosts.serve(PORT, "--http", "hello", "--close", "fin")
    hosts.load(PORT, "--http", "/", "--rate", "100", "--for", "20s", "--close", "server-first")
    until(lambda: _counter(hosts.server, "TCPTimeWaitOverflow") > 5, "the limit to be reached", 20.0)
    return hosts.server


def timestamps_off(hosts: Hosts) -> Namespace:
    """Hardened by a baseline that turns timestamps off."""
    hosts.server.set_sysctl("net.ipv4.tcp_timestamps", "0")
    return hosts.server


def cookies_off(hosts: Hosts) -> Namespace:
    """Cookies off, and a listener that others can reach."""
    hosts.server.set_sysctl("net.ipv4.tcp_syncookies", "0")
    hosts.serve(PORT, "--echo")
    return hosts.server


def cookies_always(hosts: Hosts) -> Namespace:
    """The test mode of cookies."""
    hosts.server.set_sysctl("net.ipv4.tcp_syncookies", "2")
    return hosts.server


def somaxconn_low(hosts: Hosts) -> Namespace:
    """A cap of five."""
    hosts.server.set_sysctl("net.core.somaxconn", "5")
    return hosts.server


def fast_open_half(hosts: Hosts) -> Namespace:
    """tcp_fastopen=3 and nothing else."""
    hosts.server.set_sysctl("net.ipv4.tcp_fastopen", "3")
    hosts.serve(PORT, "--echo")
    return hosts.server


def refused_connects(hosts: Hosts) -> Namespace:
    """Connects to a port on which nothing listens."""
    hosts.load(PORT, "--rate", "20", "--for", "20s")
    until(lambda: _counter(hosts.client, "AttemptFails") > 5, "refusals", 20.0)
    return hosts.client


FAULTY: tuple[tuple[Callable[[Hosts], Namespace], str], ...] = (
    (accept_queue_overflow, "HO101"),
    (burst, "HO101"),
    (slow_accept, "HO104"),
    (somaxconn_low, "HO113"),
    (timestamps_off, "HO205"),
    (cookies_off, "HO207"),
    (cookies_always, "HO208"),
    (time_wait_overflow, "HO204"),
    (ports_exhausted, "HO301"),
    (ports_past_half, "HO302"),
    (unanswered, "HO306"),
    (refused_connects, "HO309"),
    (syn_limit, "HO401"),
    (spoofed_flood, "HO402"),
    (flood_without_cookies, "HO106"),
    (three_quarters, "HO108"),
    (fast_open_half, "HO501"),
    (reverse_path, "HO602"),
    (no_route_back, "HO606"),
    (close_wait, "HO701"),
)


def _flood(hosts: Hosts, *, backlog: int = 16) -> None:
    """A listener, a way back to the forged addresses, and a flood for as long as the context lasts."""
    hosts.server.run(add_route, f"{SOURCES[0]}/{SOURCES[1]}", gateway=hosts.ends[0].v4)
    hosts.serve(PORT, "--backlog", str(backlog))
    _send_flood(hosts, rate=400)


def _send_flood(hosts: Hosts, *, rate: int) -> None:
    target = (hosts.address, PORT)
    flood = hosts.client.run(lambda: _core.Flood(target, SOURCES, rate=rate, count=10_000, time_max_s=25.0, seed=1))
    hosts.stack.callback(flood.stop)


def _counter(host: Namespace, name: str) -> int:
    return host.run(read_counters).get(name, 0)


def _queue(host: Namespace) -> int:
    return max((row["accept_queue"] for row in census(host)["listeners"]), default=0)


def _oldest_ms(host: Namespace) -> int:
    rows = (row["queued"] for row in census(host)["listeners"])
    return max((row["oldest_ms"] or 0 for row in rows if row), default=0)
