"""Every network namespace of the host: found by walking processes and mounts, deduplicated by inode.

Sources: ``/proc/<pid>/ns/net`` (needs ptrace access to the process) and the ``nsfs`` entries of
``/proc/self/mountinfo``, which are what ``ip netns``, Docker and CNI leave where no process lives. Not seen: a
namespace that only an open descriptor, or a thread other than a process's first, keeps alive.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from threading import get_native_id
from typing import TYPE_CHECKING

from halfopen.collect.text import read_bytes, read_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.collect.roots import Roots

PIDS_KEPT = 32
"""Processes remembered of a namespace: enough to find one that names it."""
INIT = 1
KTHREADD = 2
"""The process that makes kernel threads."""
PF_KTHREAD = 0x00200000
"""Flag of a kernel thread (include/linux/sched.h), in field 9 of ``/proc/<pid>/stat``."""
UNKNOWN = 0
"""Number of a namespace that has one, which could not be read."""
_LINK = re.compile(r"net:\[(\d+)\]$")


@dataclass(slots=True)
class Place:
    """A network namespace, before anything was read in it."""

    inode: int
    pids: list[int] = field(default_factory=list)
    """Processes that live in it, the oldest numbers first; at most ``PIDS_KEPT``."""
    processes: int = 0
    """How many there are."""
    path: str | None = None
    """Where it is mounted, as it is opened: what is no UTF-8 in it is a lone surrogate."""
    door: str | None = None
    """Another way in: that of the calling thread, which may be in it without its process."""
    own: bool = False
    """The reader's: that of the thread that asked for the snapshot."""
    first: bool = False
    """That of process 1."""
    name: str = ""
    """How it is called; given by ``names.name_all``."""
    kind: str = "other"


@dataclass(slots=True)
class Places:
    """All that were found: the host's first, then the reader's, then those where processes live, by number."""

    places: list[Place]
    hidden: int = 0
    """Processes whose namespace this user may not know."""
    hides_others: bool = False
    """/proc does not list the processes of others (``hidepid=invisible``), so that nobody knows how many there are."""
    blind: bool = False
    """/proc does not show namespaces: the reader's stands here by itself, without its number."""


def find(roots: Roots) -> Places:
    """Look at every process and every mount. Processes that end meanwhile are passed over. Never raises."""
    found: dict[int, Place] = {}
    door, hidden = f"{roots.proc}/self/task/{get_native_id()}/ns/net", 0
    own = _inode(door) or _inode(f"{roots.proc}/self/ns/net")
    pids = _pids(roots)
    for pid in pids:
        try:
            inode = _inode_of_link(f"{roots.proc}/{pid}/ns/net")
        except PermissionError:
            hidden += 1
            continue
        except OSError:
            continue
        if inode is not None:
            _add(found, inode, pid)
    for inode, path in mounted(_mountinfo(roots)):
        place = found.setdefault(inode, Place(inode))
        place.path = place.path or path
    # Where /proc does not say which it is, the reader is in one all the same, and sockets are not asked of /proc.
    place = found.setdefault(own or UNKNOWN, Place(own or UNKNOWN))
    place.own, place.door = True, door
    _mark_first(found, _inode(f"{roots.proc}/1/ns/net") or _of_kernel(roots))
    places = sorted(found.values(), key=lambda place: (not place.first, not place.own, not place.pids, place.inode))
    # There is a process 1 in every pid namespace.
    return Places(places, hidden, hides_others=own is not None and INIT not in pids, blind=own is None)


def _add(found: dict[int, Place], inode: int, pid: int) -> None:
    place = found.setdefault(inode, Place(inode))
    place.processes += 1
    if len(place.pids) < PIDS_KEPT:
        place.pids.append(pid)


def _mark_first(found: dict[int, Place], of_init: int | None) -> None:
    """Process 1's namespace is the host's, or kthreadd's; the reader's is taken for it where neither can be known."""
    for place in found.values():
        place.first = place.inode == of_init if of_init is not None else place.own


def _of_kernel(roots: Roots) -> int | None:
    """Where kthreadd lives, always the initial namespace; None where process 2 is another (a container's)."""
    try:
        flags = int(read_text(f"{roots.proc}/{KTHREADD}/stat").rpartition(")")[2].split()[6])
    except (OSError, ValueError, IndexError):
        return None
    return _inode(f"{roots.proc}/{KTHREADD}/ns/net") if flags & PF_KTHREAD else None


def _pids(roots: Roots) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(roots.proc) if name.isdigit())  # noqa: PTH208  (names only)
    except OSError:
        return []


def _inode_of_link(path: str) -> int | None:
    match = _LINK.match(os.readlink(path))  # noqa: PTH115  (called for every process)
    return int(match.group(1)) if match else None


def _inode(path: str) -> int | None:
    try:
        return _inode_of_link(path)
    except OSError:
        return None


def _mountinfo(roots: Roots) -> str:
    try:
        # A path is to be opened: what is no UTF-8 in it stays as the system's functions have it.
        return os.fsdecode(read_bytes(roots.proc / "self/mountinfo"))
    except OSError:
        return ""


def mounted(mountinfo: str) -> Iterator[tuple[int, str]]:
    """Inode and path of each mounted network namespace (proc_pid_mountinfo(5): root is field 4, the place field 5)."""
    for line in mountinfo.split("\n"):
        fields = line.split(" ")
        if len(fields) > 5 and (match := _LINK.match(fields[3])):
            yield int(match.group(1)), re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), fields[4])
