"""What the threads of a process do: ``/proc/PID/task/*/{stat,syscall,wchan}``, which stops nobody.

``syscall`` and ``wchan`` need the right to trace the process (its owner, or CAP_SYS_PTRACE). A thread that runs has no
call to show.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from halfopen.collect.roots import Roots
from halfopen.collect.text import read_bytes, readable
from halfopen.errors import InputError
from halfopen.knowledge.syscalls import FIRST_IS_DESCRIPTOR, name_of
from halfopen.model.calls import ThreadCall

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Threads of one process that are looked at.
THREADS_MAX = 1000


def thread_calls(pid: int, machine: str, roots: Roots | None = None) -> tuple[ThreadCall, ...]:
    """Every thread of the process.

    Args:
        pid: the process.
        machine: ``uname -m``, which decides what a call's number means.
        roots: where /proc lies.

    Raises:
        InputError: there is no such process.
    """
    process = (roots or Roots()).proc / str(pid)
    try:
        tasks = sorted((path for path in (process / "task").iterdir()), key=lambda path: int(path.name))
    except OSError as error:
        raise InputError("cannot look at process", str(pid), error.strerror or str(error)) from error
    return tuple(_threads(process, tasks[:THREADS_MAX], pid, machine))


def _threads(process: Path, tasks: list[Path], pid: int, machine: str) -> Iterator[ThreadCall]:
    for task in tasks:
        stat = _read(task / "stat")
        if stat is None:
            continue  # it has ended meanwhile
        comm, state = parse_stat(stat)
        call, descriptor = parse_syscall(_read(task / "syscall"), machine)
        yield ThreadCall(
            pid=pid,
            tid=int(task.name),
            comm=comm,
            state=state,
            call=call,
            descriptor=descriptor,
            inode=None if descriptor is None else _socket_inode(process / "fd" / str(descriptor)),
            waits_in=_wchan(_read(task / "wchan")),
        )


def parse_stat(text: str) -> tuple[str, str]:
    """The name, between the first ``(`` and the last ``)`` because it may hold both, and the state after it."""
    head, _, tail = text.rpartition(")")
    return head.partition("(")[2], tail.split()[0] if tail.split() else "?"


def parse_syscall(text: str | None, machine: str) -> tuple[str | None, int | None]:
    """The call's name and its descriptor, from ``43 0x3 0x7ffd… …``, ``running`` or ``-1 …``."""
    words = (text or "").split()
    if not words:
        return None, None
    if not words[0].isdigit():
        return ("running" if words[0] == "running" else None), None
    name = name_of(int(words[0]), machine)
    if name not in FIRST_IS_DESCRIPTOR or len(words) < 2:
        return name or f"call {words[0]}", None
    return name, int(words[1], 16)


def _wchan(text: str | None) -> str | None:
    return text if text and text != "0" else None


def _socket_inode(link: Path) -> int | None:
    with suppress(OSError, ValueError):
        target = str(link.readlink())
        if target.startswith("socket:["):
            return int(target[len("socket:[") : -1])
    return None


def _read(path: Path) -> str | None:
    with suppress(OSError):
        return readable(read_bytes(path)).strip()
    return None
