"""What is said of ports, beside what connect() and ``ss`` do in the same namespace."""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest
from tests.parity_host.namespace import Namespace, needs_root

from halfopen.collect import take
from halfopen.rules.port_use import port_use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.ports import PortUse

pytestmark = needs_root

#: An address of this host that is not in 127/8, for which tcp_tw_reuse=2 does not hold.
ADDRESS = "192.0.2.1"
PORTS = 20


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """Twenty local ports, and an address."""
    made = Namespace()
    made.call("sysctl", "-qw", "net.ipv4.ip_local_port_range=40000 40019", "net.ipv4.tcp_tw_reuse=2")
    made.call("ip", "address", "add", f"{ADDRESS}/32", "dev", "lo")
    yield made
    made.close()


class Server:
    """Accepts, waits for the client to close, and closes."""

    def __init__(self) -> None:
        self.listener = socket.create_server((ADDRESS, 7000), backlog=100)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                accepted = self.listener.accept()[0]
            except OSError:
                return
            with accepted:
                accepted.recv(1)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def connect_and_close() -> int:
    """What connect() says: 0 or an errno; the connection is closed at once, by us."""
    with socket.socket() as client:
        code = client.connect_ex((ADDRESS, 7000))
        if code == 0:
            client.shutdown(socket.SHUT_WR)
            client.recv(1)
        return code


def use() -> PortUse | None:
    return next(iter(port_use(take({"sockets", "sysctls"}, "own")).destinations), None)


def test_the_last_port_and_its_coming_back(namespace: Namespace) -> None:
    def story() -> None:
        server = Server()
        try:
            for taken in range(PORTS):
                found = use()
                assert (found.in_use if found else 0) == taken
                assert connect_and_close() == 0
            full = use()
            assert full is not None
            assert (full.in_use, full.time_wait, full.headroom, full.seconds_to_exhaustion) == (PORTS, PORTS, 0, 0.0)
            assert full.tw_reuse.helps is True
            assert connect_and_close() == errno.EADDRNOTAVAIL
        finally:
            server.close()

    namespace.run(story)
    listed = namespace.call("ss", "-tanH", "state", "time-wait", f"dst {ADDRESS} and dport = :7000")
    assert len(listed.splitlines()) == PORTS


def test_reuse_gives_ports_back_as_said(namespace: Namespace) -> None:
    namespace.call("sysctl", "-qw", "net.ipv4.tcp_tw_reuse=1", "net.ipv4.tcp_tw_reuse_delay=1")

    def story() -> None:
        server = Server()
        try:
            end, done = time.monotonic() + 30, 0
            while done < 3 * PORTS and time.monotonic() < end:  # a port is given back when its timestamp has moved on
                done += connect_and_close() == 0
            assert done == 3 * PORTS
            found = use()
            assert found is not None
            assert (found.in_use, found.time_wait) == (PORTS, PORTS)
            assert (found.tw_reuse.active, found.seconds_to_exhaustion) == (True, None)
            assert found.headroom > PORTS // 2
        finally:
            server.close()

    namespace.run(story)


def test_without_timestamps_reuse_does_not_help_as_said(namespace: Namespace) -> None:
    namespace.call(
        "sysctl", "-qw", "net.ipv4.tcp_tw_reuse=1", "net.ipv4.tcp_tw_reuse_delay=1", "net.ipv4.tcp_timestamps=0"
    )

    def story() -> None:
        server = Server()
        try:
            assert {connect_and_close() for _ in range(PORTS)} == {0}
            assert connect_and_close() == errno.EADDRNOTAVAIL
            found = use()
            assert found is not None
            assert (found.headroom, found.tw_reuse.helps, found.tw_reuse.active) == (0, False, False)
            assert "tcp_timestamps is 0" in found.tw_reuse.why
        finally:
            server.close()

    namespace.run(story)
