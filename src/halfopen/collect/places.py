"""Every network namespace of the host: found by walking processes, mounts and doors, deduplicated by inode.

Sources: ``/proc/<pid>/ns/net`` (needs ptrace access to the process); the ``nsfs`` entries of ``mountinfo``, which are
what ``ip netns``, Docker and CNI leave where no process lives (``mounts.py``); descriptors and threads that lead into
one, which the walk for the owners of sockets meets. Not seen: a namespace that only a descriptor on its way through a
socket, or a veth's other end, keeps alive.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from threading import get_native_id
from typing import TYPE_CHECKING

from halfopen.collect.mounts import LINK, mounts
from halfopen.collect.text import read_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halfopen.collect.roots import Roots

Door = tuple[int, int, str]
"""A way into a namespace: its inode, the process that has it, and what to open below /proc."""

PIDS_KEPT = 32
"""Processes remembered of a namespace: enough to find one that names it."""
INIT = 1
KTHREADD = 2
"""The process that makes kernel threads."""
PF_KTHREAD = 0x00200000
"""Flag of a kernel thread (include/linux/sched.h), in field 9 of ``/proc/<pid>/stat``."""
UNKNOWN = 0
"""Number of a namespace that has one, which could not be read."""


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
    """Another way in: that of the calling thread, which may be in it without its process, or somebody's descriptor."""
    holder: int | None = None
    """The process whose descriptor or thread keeps it, where none lives in it."""
    own: bool = False
    """The reader's: that of the thread that asked for the snapshot."""
    first: bool = False
    """That of process 1."""
    name: str = ""
    """How it is called; given by ``names.name_all``."""
    kind: str = "other"

    @property
    def where(self) -> str | None:
        """The path of what keeps it: its mount, or a descriptor where no process lives in it."""
        return self.door if self.path is None and self.holder is not None else self.path


@dataclass(slots=True)
class Places:
    """All that were found: the host's first, then the reader's, then those where processes live, by number."""

    places: list[Place]
    hidden: list[int] = field(default_factory=list)
    """Processes whose namespace this user may not know."""
    hides_others: bool = False
    """/proc does not list the processes of others (``hidepid=invisible``), so that nobody knows how many there are."""
    blind: bool = False
    """/proc does not show namespaces: the reader's stands here by itself, without its number."""
    unread_mounts: int = 0
    """Mount namespaces that were not looked at: there are too many."""


def find(roots: Roots, doors: Iterable[Door] = ()) -> Places:
    """Look at every process and every mount. Processes that end meanwhile are passed over. Never raises.

    Args:
        roots: where /proc lies.
        doors: what ``SocketOwners.namespaces`` found.
    """
    found: dict[int, Place] = {}
    door, hidden = f"{roots.proc}/self/task/{get_native_id()}/ns/net", list[int]()
    own = _inode(door) or _inode(f"{roots.proc}/self/ns/net")
    pids = _pids(roots)
    for pid in pids:
        try:
            inode = _inode_of_link(f"{roots.proc}/{pid}/ns/net")
        except PermissionError:
            hidden.append(pid)
            continue
        except OSError:
            continue
        if inode is not None:
            _add(found, inode, pid)
    mounted = mounts(roots, pids)
    for inode, path in mounted.found:
        place = found.setdefault(inode, Place(inode))
        place.path = place.path or path
    for inode, pid, path in doors:
        if inode not in found:
            found[inode] = Place(inode, door=f"{roots.proc}/{path}", holder=pid)
    # Where /proc does not say which it is, the reader is in one all the same, and sockets are not asked of /proc.
    place = found.setdefault(own or UNKNOWN, Place(own or UNKNOWN))
    place.own, place.door = True, door
    _mark_first(found, _inode(f"{roots.proc}/1/ns/net") or _of_kernel(roots))
    places = sorted(found.values(), key=lambda place: (not place.first, not place.own, not place.pids, place.inode))
    # There is a process 1 in every pid namespace.
    hides_others = own is not None and INIT not in pids
    return Places(places, hidden, hides_others, blind=own is None, unread_mounts=mounted.unread)


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
    match = LINK.match(os.readlink(path))  # noqa: PTH115  (called for every process)
    return int(match.group(1)) if match else None


def _inode(path: str) -> int | None:
    try:
        return _inode_of_link(path)
    except OSError:
        return None
