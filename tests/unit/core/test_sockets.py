"""The native half's view of the sockets of this very namespace: no privilege, nothing made but two sockets."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from halfopen import _core
from halfopen.errors import NotAvailableError

if TYPE_CHECKING:
    from pathlib import Path

#: ip_local_port_range of a fresh namespace.
RANGE = (32768, 60999)


def inode_of(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


def test_a_listener_and_what_waits_in_its_queue() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=5) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"12345")
            # All of them: other tests' connections in TIME_WAIT may be more than are given by default.
            census = _core.tcp_census(RANGE, _core.SocketOwners(), destinations=1_000_000)
            source = client.getsockname()[0]
        (ours,) = [one for one in census["listeners"] if one["inode"] == inode_of(server)]
        assert (ours["address"], ours["port"], ours["family"]) == ("127.0.0.1", port, 4)
        assert (ours["accept_queue"], ours["accept_queue_limit"]) == (1, 5)
        assert ours["pids"] == [os.getpid()]
        assert ours["queued"] is not None
        assert (ours["queued"]["established"], ours["queued"]["unread_bytes_max"]) == (1, 5)
        (there,) = [one for one in census["destinations"] if one["port"] == port]
        assert (there["source"], there["destination"], there["states"]) == (source, "127.0.0.1", {"ESTABLISHED": 1})
        assert there["pids"] == [(os.getpid(), 1)]


def test_without_owners_nobody_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        (ours,) = [one for one in _core.tcp_census(RANGE)["listeners"] if one["inode"] == inode_of(server)]
    assert ours["pids"] == []


def test_a_state_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no state of TCP: ESTAB"):
        _core.tcp_sockets(["ESTAB"])


def test_the_main_thread_stays_where_it_is() -> None:
    if threading.current_thread() is threading.main_thread():
        with pytest.raises(OSError, match="the main thread must stay where it is"):
            _core.enter_netns("/proc/self/ns/net")


def test_a_namespace_that_is_not_there(tmp_path: Path) -> None:
    caught: list[BaseException] = []

    def enter() -> None:
        try:
            _core.enter_netns(tmp_path / "gone")
        except NotAvailableError as error:
            caught.append(error)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert str(caught[0]) == f"cannot enter the network namespace {tmp_path}/gone: No such file or directory"
