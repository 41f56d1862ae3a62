"""Knobs of ``halfopen serve`` that need a network of their own, seen from the other end."""

from __future__ import annotations

import socket

import pytest
from tests.probe.network import FAR, Pair
from tests.serve.running import serving

BOTH = pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])


@BOTH
def test_fast_open_shows_the_data_of_the_syn(net: Pair, far: str) -> None:
    within = ("nsenter", f"--net={net.far.path}")
    net.far.sysctl("tcp_fastopen", "3")
    with serving("--fast-open", "8", "--echo", "--address", far, within=within) as server:

        def send(data: bytes) -> None:
            with socket.socket(socket.AF_INET6 if ":" in far else socket.AF_INET) as client:
                # Blocking: a socket with a timeout is not, and would send the first data after the handshake itself.
                client.sendto(data, socket.MSG_FASTOPEN, (far, server.ports[0]))
                client.settimeout(20)
                assert client.recv(100) == data

        net.near.inside(lambda: send(b"first"))
        first = server.wait_for("accepted")
        net.near.inside(lambda: send(b"second"))
        second = server.wait_for("accepted")
        summary = server.stop()
    assert first["syn_data"] is False  # it only fetched the cookie
    assert (second["syn_data"], second["bytes_at_accept"]) == (True, 6)
    assert summary["syn_data"] == 1
    assert summary["kernel_deltas"]["TCPFastOpenPassive"] == 1


@BOTH
def test_defer_accept_waits_for_data(net: Pair, far: str) -> None:
    within = ("nsenter", f"--net={net.far.path}")
    with serving("--defer-accept", "10", "--address", far, within=within) as server:
        client = net.near.inside(lambda: socket.create_connection((far, server.ports[0]), timeout=20))
        client.sendall(b"now")
        accepted = server.wait_for("accepted")
        summary = server.stop()
        client.close()
    assert accepted["bytes_at_accept"] == 3
    assert summary["kernel_deltas"]["TCPDeferAcceptDrop"] >= 1


@BOTH
def test_a_small_backlog_is_cut_at_somaxconn(net: Pair, far: str) -> None:
    net.far.inside(lambda: _write("/proc/sys/net/core/somaxconn", "3"))
    within = ("nsenter", f"--net={net.far.path}")
    with serving("--never-accept", "--backlog", "500", "--address", far, within=within) as server:
        client = net.near.inside(lambda: socket.create_connection((far, server.ports[0]), timeout=20))
        assert server.wait_for("queue", depth=1)["limit"] == 3
        client.close()


def _write(path: str, value: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123  (a file of /proc)
        file.write(value)
