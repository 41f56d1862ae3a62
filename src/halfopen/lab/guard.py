"""Ends what runs inside a lab whose owner was killed: ``python -m halfopen.lab.guard INODE...``, started by its owner.

SIGKILL cannot be caught, so another process waits for the owner's end: its standard input is a pipe that only the owner
can write to. A word on it means that the owner ends as it should, and leaves what it means to leave.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from halfopen.lab.namespace import Namespace

#: What begins while the others are ended is found by looking again, so many times at most.
_ROUNDS = 100


@contextmanager
def guarded(hosts: Iterable[Namespace]) -> Iterator[None]:
    """Within, what runs inside these hosts does not outlive this process, whatever ends it."""
    inodes = [str(os.fstat(host.descriptor).st_ino) for host in hosts]
    guard = subprocess.Popen(
        [sys.executable, "-m", "halfopen.lab.guard", *inodes],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C and the end of the terminal are not for it
    )
    try:
        yield
    finally:
        guard.communicate(b".")


def end_all(inodes: Collection[int]) -> None:
    """Kill every process that is in one of these network namespaces, and what it starts meanwhile."""
    for _ in range(_ROUNDS):
        found = [int(path.name) for path in Path("/proc").glob("[0-9]*") if _inside(int(path.name), inodes)]
        if not found:
            return
        for pid in found:
            _kill(pid, inodes)


def _inside(pid: int, inodes: Collection[int]) -> bool:
    """False also where it has gone, or is not ours to look at."""
    try:
        return Path(f"/proc/{pid}/ns/net").stat().st_ino in inodes
    except OSError:
        return False


def _kill(pid: int, inodes: Collection[int]) -> None:
    """By a descriptor, and looked at again: the number may be that of another process by now."""
    with suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        try:
            if _inside(pid, inodes):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        finally:
            os.close(descriptor)


if __name__ == "__main__":
    if not sys.stdin.buffer.read():
        end_all({int(inode) for inode in sys.argv[1:]})
