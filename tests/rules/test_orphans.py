"""Orphans: sockets that no process holds, of which the whole host has one count and one limit."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.rules.hosts import Hosts, doctor

from halfopen.lab.waiting import until
from halfopen.rules.ho703_orphans import NEAR_SHARE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rules.conftest import Outcomes

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="making network namespaces needs root"),
    pytest.mark.timeout(240),
]

LIMIT = Path("/proc/sys/net/ipv4/tcp_max_orphans")
#: 4 kB of the kernel's memory each: no more is taken for a test.
MOST = 80_000
#: Of as many as are an alarm. It is none, even beside as many of others on this host.
FEW_SHARE = 0.25
PORTS = range(8000, 8008)
#: What would end an orphan does not come through: data and FINs of the client, RSTs of the server.
SWALLOWED = """table ip f {{
    chain output {{ type filter hook output priority filter
        {match} drop
    }}
}}"""
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Here:
    """The network namespace of this process, as if it were one of the lab's: only here the limit can be read."""

    @staticmethod
    def run(work: Callable[[], object]) -> object:
        return work()


def orphans() -> int:
    words = Path("/proc/net/sockstat").read_text(encoding="ascii").split()
    return int(words[words.index("orphan") + 1])


def make(hosts: Hosts, count: int) -> None:
    """Connections that the client has closed, and whose last data nobody takes."""
    listeners = [hosts.server.run(socket.create_server, (hosts.address, port)) for port in PORTS]
    hosts.client.run(_leave, listeners, count)
    for listener in listeners:
        listener.close()


def _leave(listeners: list[socket.socket], count: int) -> None:
    for index in range(count):
        listener = listeners[index % len(listeners)]
        with socket.create_connection(listener.getsockname()) as client, listener.accept()[0] as guest:
            guest.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            client.send(b"x")


def let_go(hosts: Hosts, few: int) -> None:
    """The kernel gives them up at their next timer: nobody else's count is to be high for longer."""
    hosts.client.set_sysctl("net.ipv4.tcp_orphan_retries", 1)
    until(lambda: orphans() <= 2 * few, "the orphans to be given up", 120.0)


def test_orphans_near_their_limit_are_found_and_a_few_are_no_alarm(outcomes: Outcomes) -> None:
    limit, others = int(LIMIT.read_text(encoding="ascii")), orphans()
    near = round(limit * NEAR_SHARE)
    few = round(near * FEW_SHARE)
    if near > MOST:
        pytest.skip(f"the limit of this host is {limit}: a quarter is too many to make")
    if others > few:
        pytest.skip(f"this host has {others} orphans of its own, of {limit} that it may have")
    with Hosts() as hosts:
        hosts.nft(hosts.client, SWALLOWED.format(match="tcp flags & (fin | psh) != 0"))
        hosts.nft(hosts.server, SWALLOWED.format(match="tcp flags & rst != 0"))
        hosts.client.set_sysctl("net.ipv4.ip_local_port_range", "20000 60999")
        try:
            make(hosts, few)
            codes = {finding["code"] for finding in doctor(Here(), None)["findings"]}  # type: ignore[arg-type]
            make(hosts, near - few + 500)
            codes_near = {finding["code"] for finding in doctor(Here(), None)["findings"]}  # type: ignore[arg-type]
        finally:
            let_go(hosts, few)
    outcomes["alarms"].append(("some_orphans", "HO703" in codes))
    outcomes["found"].append(("orphans_near_limit", "HO703" in codes_near))
    assert "HO703" not in codes
    assert "HO703" in codes_near
