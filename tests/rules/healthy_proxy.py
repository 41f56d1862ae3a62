"""Healthy hosts with a proxy: two programs that talk to each other on one host."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.rules.healthy import NGINX

from halfopen.lab.observe import read_counters
from halfopen.lab.waiting import until

if TYPE_CHECKING:
    from tests.rules.hosts import Hosts

    from halfopen.lab.namespace import Namespace

HAPROXY = """
global
    maxconn 4000
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    {reuse}
frontend f
    bind {address}:8080
    default_backend b
backend b
    server s 127.0.0.1:80 check inter 200
"""


def proxy(hosts: Hosts, reuse: str = "http-reuse always") -> Namespace:
    """HAProxy before nginx on the same host, connections to nginx kept and used again, health checks between."""
    directory = hosts.stack.enter_context(TemporaryDirectory())
    Path(directory, "nginx.conf").write_text(NGINX.format(directory=directory, options=""), encoding="utf-8")
    Path(directory, "haproxy.cfg").write_text(HAPROXY.format(address=hosts.address, reuse=reuse), encoding="utf-8")
    hosts.spawn(hosts.server, "nginx", "-c", f"{directory}/nginx.conf", "-e", f"{directory}/error.log")
    hosts.listening(hosts.server, 80)
    hosts.spawn(hosts.server, "haproxy", "-f", f"{directory}/haproxy.cfg", "-db")
    hosts.listening(hosts.server, 8080)
    hosts.load(8080, "--http", "/", "--rate", "200", "--for", "20s", "--close", "fin")
    until(lambda: hosts.server.run(read_counters).get("PassiveOpens", 0) > 300, "the load to begin", 20.0)
    return hosts.server


def proxy_without_reuse(hosts: Hosts) -> Namespace:
    """The same with a connection to nginx for each request: half of a host's TIME_WAIT is its own proxy's."""
    return proxy(hosts, "option httpclose")
