"""Ages, ports that bind() chose, whose a connection is: against what the test itself did, and when."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING, TypeVar

import pytest
from tests.parity_host.namespace import Namespace, call, needs_root
from tests.parity_host.states import NOWHERE, until

from halfopen import _core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = needs_root

T = TypeVar("T")
RANGE = (32768, 60999)
#: The clock of these ages ticks every 10 ms at worst; a busy machine reads it late.
TOLERANCE_MS = 150
IP_BIND_ADDRESS_NO_PORT = 24


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    made = Namespace()
    yield made
    made.close()


def aged(read: Callable[[], int | None], since: float, least_ms: int) -> None:
    """The age read is the time since ``since``, until it is ``least_ms``."""

    def old() -> bool:
        before = (time.monotonic() - since) * 1e3
        age = read()
        after = (time.monotonic() - since) * 1e3
        assert age is not None
        assert before - TOLERANCE_MS < age < after + TOLERANCE_MS, (before, age, after)
        return age >= least_ms

    until(old)


def test_the_age_of_the_accept_queue_is_that_of_its_oldest_handshake(namespace: Namespace) -> None:
    def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
            since = time.monotonic()

            def oldest() -> int | None:
                client.sendall(b"data moves the other clocks")
                with socket.create_connection(server.getsockname()):
                    (one,) = _core.tcp_census(RANGE)["listeners"]
                assert one["queued"]
                return one["queued"]["oldest_ms"]

            aged(oldest, since, 600)

    namespace.run(run)


def test_the_age_of_a_syn_without_an_answer(namespace: Namespace) -> None:
    def run() -> None:
        call("nft", "add table inet n; add chain inet n c { type filter hook input priority 0; }")
        call("nft", f"add rule inet n c ip daddr {NOWHERE} drop")
        with socket.socket() as client:
            client.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                client.connect((NOWHERE, 1))
            aged(lambda: _core.tcp_census(RANGE)["destinations"][0]["oldest_syn_ms"], time.monotonic(), 2300)
            (one,) = _core.tcp_census(RANGE)["destinations"]
            assert (one["states"], one["retransmitting"]) == ({"SYN_SENT": 1}, 1)

    namespace.run(run)


def test_how_long_a_forgotten_connection_has_been_silent(namespace: Namespace) -> None:
    def run() -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname()) as client,
            server.accept()[0],
        ):
            client.shutdown(socket.SHUT_WR)
            owners = _core.SocketOwners()
            aged(lambda: _core.tcp_census(RANGE, owners)["processes"][0]["close_wait_oldest_ms"], time.monotonic(), 400)

    namespace.run(run)


@pytest.mark.parametrize(
    ("bind", "no_port", "bound"),
    [(False, False, 0), (True, False, 20), (True, True, 0)],
    ids=["plain", "bind", "no-port"],
)
def test_ports_that_bind_chose_are_told_from_those_of_connect(
    namespace: Namespace, *, bind: bool, no_port: bool, bound: int
) -> None:
    def run() -> _core.DestinationDict:
        with contextlib.ExitStack() as kept:
            server = kept.enter_context(socket.create_server(("127.0.0.1", 5000)))
            for _ in range(20):
                client = kept.enter_context(socket.socket())
                client.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, int(no_port))
                if bind:
                    client.bind(("127.0.0.1", 0))
                client.connect(server.getsockname())
            return _core.tcp_census(RANGE)["destinations"][0]

    one = namespace.run(run)
    assert (one["in_range"], one["bound"], one["low_parity"]) == (20, bound, 20 - bound)


def test_requests_whose_listener_is_gone_are_stale(namespace: Namespace) -> None:
    def run() -> tuple[int, dict[str, int]]:
        with contextlib.ExitStack() as kept:
            with socket.create_server(("127.0.0.1", 0)) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 100)
                for _ in range(3):
                    kept.enter_context(socket.create_connection(server.getsockname()))
            census = _core.tcp_census(RANGE)
            return census["stale_syn_recv"], census["states"]

    stale, states = namespace.run(run)
    assert stale == states["SYN_RECV"] == 3


def test_connections_belong_to_the_listener_that_the_kernel_would_choose(namespace: Namespace) -> None:
    """Four on one port: any address, one address, one device, any address of IPv6."""

    def run() -> dict[tuple[str, int | None], int]:
        with contextlib.ExitStack() as kept:
            for address, device in (("0.0.0.0", b""), ("127.0.0.2", b""), ("0.0.0.0", b"lo"), ("::", b"")):
                kept.enter_context(reuse_port(address, device))
            targets = {"127.0.0.1": 1, "127.0.0.2": 2, "::1": 3}
            for target, count in targets.items():
                for _ in range(count):
                    kept.enter_context(socket.create_connection((target, 5000)))
            listeners = _core.tcp_census(RANGE)["listeners"]
            for one in listeners:
                assert one["accept_queue"] == (one["queued"]["established"] if one["queued"] else 0)
            return {(one["address"], one["interface"]): one["accept_queue"] for one in listeners}

    found = namespace.run(run)
    assert found == {("0.0.0.0", None): 0, ("127.0.0.2", None): 2, ("0.0.0.0", 1): 1, ("::", None): 3}


def reuse_port(address: str, device: bytes) -> socket.socket:
    one = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device)
    one.bind((address, 5000))
    one.listen()
    return one


def test_a_namespace_without_sockets_has_none_and_one_without_a_listener_is_still_looked_at(
    namespace: Namespace,
) -> None:
    def run() -> tuple[_core.CensusDict, _core.CensusDict]:
        empty = _core.tcp_census(RANGE)
        with contextlib.ExitStack() as kept:
            with socket.create_server(("127.0.0.1", 0)) as server:
                kept.enter_context(socket.create_connection(server.getsockname()))
                kept.enter_context(server.accept()[0])
            return empty, _core.tcp_census(RANGE)

    empty, two = namespace.run(run)
    assert (empty["states"], empty["listeners"], empty["destinations"]) == ({}, [], [])
    assert two["states"] == {"ESTABLISHED": 2}
    assert len(two["destinations"]) == 2  # nobody listens any more: both ends may be a client's
