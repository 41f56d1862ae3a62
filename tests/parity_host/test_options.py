"""Options of listeners in other processes, read from a duplicate of their descriptor."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.parity_host.namespace import as_nobody, needs_root

from halfopen import _core

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs_root

LISTENER = """
import os, socket, sys
one = socket.socket()
one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
one.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 5)
one.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 3)
one.bind(("127.0.0.1", 0))
one.listen()
one.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 17)
print(os.fstat(one.fileno()).st_ino, flush=True)
sys.stdin.read()
"""


@contextmanager
def elsewhere() -> Iterator[tuple[int, int]]:
    """(pid, inode) of a listener in another process."""
    command = [sys.executable, "-c", LISTENER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.pid, int(process.stdout.readline())


def test_every_option_of_another_process() -> None:
    with elsewhere() as (pid, inode):
        owners = _core.SocketOwners()
        assert [holder for holder, _ in owners.holders(inode)] == [pid]
        assert owners.options(inode) == {"defer_accept_s": 7, "fast_open": 17, "syn_retries": 3, "reuse_port": True}
    assert owners.options(inode) is None  # it has ended


def test_a_plain_listener_has_none_of_them() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        options = _core.SocketOwners().options(os.fstat(one.fileno()).st_ino)
    assert options
    assert (options["defer_accept_s"], options["fast_open"], options["reuse_port"]) == (0, 0, False)


def test_a_descriptor_that_is_another_socket_by_now_is_not_believed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        inode, number = os.fstat(one.fileno()).st_ino, one.fileno()
        owners = _core.SocketOwners()
    with socket.socket() as other:
        assert other.fileno() == number
        assert owners.options(inode) is None


def test_without_privilege_they_are_unknown() -> None:
    with elsewhere() as (_, inode):
        owners = _core.SocketOwners()
        assert as_nobody(lambda: repr(owners.options(inode))) == "None"
