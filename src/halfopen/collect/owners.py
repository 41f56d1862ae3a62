"""Facts of processes: ``/proc/<pid>/{comm,stat,status,cmdline,cgroup,exe,limits}``, and the size of ``fd``.

Another user's ``exe`` is hidden without ptrace access; everything else is open to all (unless /proc is mounted with
``hidepid``). proc(5).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from halfopen.collect.cgroup import Identity, cgroup_of, identify
from halfopen.collect.text import read_bytes, readable, readable_name
from halfopen.model.owner import Owner

if TYPE_CHECKING:
    from halfopen.collect.clock import Clock
    from halfopen.collect.roots import Roots

ARGUMENTS = 16
ARGUMENT_BYTES = 256
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_PARENT = 4 - 3
_START_TIME = 22 - 3
"""Field 22 of stat, counted from the third, which follows the name in brackets (that may hold anything)."""


def read_owner(pid: int, roots: Roots, clock: Clock) -> Owner:
    """What can be known of a process. One that has ended meanwhile keeps its number and an empty name."""
    directory = f"{roots.proc}/{pid}"
    cgroup = cgroup_of(readable(_read(f"{directory}/cgroup")))
    identity = identify(cgroup) if cgroup else Identity()
    state, parent, started = parse_stat(_read(f"{directory}/stat"), clock)
    return Owner(
        pid=pid,
        comm=readable(_read(f"{directory}/comm").removesuffix(b"\n")),
        uid=parse_uid(_read(f"{directory}/status")),
        executable=_link(f"{directory}/exe"),
        command=parse_cmdline(_read(f"{directory}/cmdline")),
        unit=identity.unit,
        container=identity.container or identity.pod,
        cgroup=cgroup,
        started_at_ns=started,
        parent=parent,
        state=state,
        descriptors=_descriptors(f"{directory}/fd"),
        descriptors_limit=parse_limit(_read(f"{directory}/limits")),
    )


def parse_cmdline(data: bytes) -> tuple[str, ...]:
    """The first arguments, each cut to its limit."""
    arguments = data.removesuffix(b"\0").split(b"\0")[:ARGUMENTS] if data else []
    return tuple(readable(argument[:ARGUMENT_BYTES]) for argument in arguments)


def parse_uid(status: bytes) -> int | None:
    """The real user id of ``Uid:`` in status."""
    for line in status.split(b"\n"):
        if line.startswith(b"Uid:"):
            words = line.split()
            return int(words[1]) if len(words) > 1 and words[1].isdigit() else None
    return None


def parse_limit(limits: bytes) -> int | None:
    """The soft limit of «Max open files»."""
    for line in limits.split(b"\n"):
        if line.startswith(b"Max open files"):
            words = line.removeprefix(b"Max open files").split()
            return int(words[0]) if words and words[0].isdigit() else None
    return None


def parse_stat(stat: bytes, clock: Clock) -> tuple[str | None, int | None, int | None]:
    """State, parent, and when the process began, nanoseconds since the epoch."""
    fields = stat.rpartition(b")")[2].split()
    if len(fields) <= _START_TIME or not (fields[_PARENT].isdigit() and fields[_START_TIME].isdigit()):
        return None, None, None
    return readable(fields[0]), int(fields[_PARENT]), clock.from_boottime(int(fields[_START_TIME]) * _TICK_NS)


def _read(path: str) -> bytes:
    try:
        return read_bytes(path, 1 << 16)
    except OSError:
        return b""


def _descriptors(path: str) -> int | None:
    """How many entries the directory has: its size, since Linux 6.2; 0 before."""
    try:
        return os.stat(path).st_size or None  # noqa: PTH116  (called for every owner)
    except OSError:
        return None


def _link(path: str) -> str | None:
    try:
        return readable_name(os.readlink(path))  # noqa: PTH115  (called for every owner)
    except OSError:
        return None
