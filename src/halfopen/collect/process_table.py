"""Processes and the sockets that they hold, read once for all namespaces, and only when something asks."""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING

from halfopen.collect.owners import read_owner
from halfopen.collect.text import read_text
from halfopen.errors import HalfopenError
from halfopen.model.quantity import listed, plural
from halfopen.model.snapshot import Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen._core import ListenerOptionsDict, SocketOwners
    from halfopen.collect.clock import Clock
    from halfopen.collect.places import Door
    from halfopen.collect.roots import Roots
    from halfopen.model.owner import Owner

PIDS_NAMED = 3
"""Of so many processes that may not be looked at, the numbers are told."""


class ProcessTable:
    """Safe to ask from several threads."""

    def __init__(self, roots: Roots, clock: Clock) -> None:
        self._roots = roots
        self._clock = clock
        self._lock = Lock()
        self._holders: SocketOwners | None = None
        self._owners: dict[int, Owner] = {}

    @property
    def holders(self) -> SocketOwners:
        """Who holds which socket; the walk over /proc happens on first use. Raises OSError, NotAvailableError."""
        from halfopen._core import SocketOwners

        with self._lock:
            if self._holders is None:
                self._holders = SocketOwners(self._roots.proc)
            return self._holders

    @property
    def doors(self) -> list[Door]:
        """Ways into network namespaces that no process lives in; none where /proc cannot be walked over."""
        try:
            return self.holders.namespaces
        except (OSError, HalfopenError):  # told by the collector of sockets, which asks the same
            return []

    def options(self, inode: int) -> ListenerOptionsDict | None:
        """The options of a listening socket; None where nobody who holds it may be asked."""
        return None if self._holders is None else self._holders.options(inode)

    def owner(self, pid: int) -> Owner:
        """The facts of a process; the same record every time."""
        # Two threads may read the same process at once: the first to store it wins, and both are right.
        return self._owners.get(pid) or self._owners.setdefault(pid, read_owner(pid, self._roots, self._clock))

    @property
    def gap(self) -> Unavailable | None:
        """What the walk could not see; None before it, and when it saw everything."""
        refused = self._holders.refused if self._holders is not None else []
        return Unavailable(f"sockets of {which(refused)}", why_refused(self._roots)) if refused else None


def which(pids: Sequence[int]) -> str:
    """``1 process (pid 812)``; of more than a few, each of which nobody looks at, only how many."""
    number = plural(len(pids), "process", "processes")
    if len(pids) > PIDS_NAMED:
        return number
    return f"{number} ({'pid' if len(pids) == 1 else 'pids'} {listed([str(pid) for pid in sorted(pids)])})"


def why_refused(roots: Roots) -> str:
    """Why /proc shows no more of a process; a sandbox may hide one from root, too."""
    if os.geteuid() != 0:
        return "this user may not look: that takes root or CAP_SYS_PTRACE"
    if _is_root_of_a_part(roots):
        return "root of a user namespace may not look: that takes root of the host"
    return "they are hidden even from root"


def _is_root_of_a_part(roots: Roots) -> bool:
    """Whether this user namespace is not the first one, which has every id as it is (user_namespaces(7))."""
    try:
        ids = read_text(roots.proc / "self/uid_map").split()
    except OSError:
        return False
    return ids != ["0", "0", "4294967295"]
