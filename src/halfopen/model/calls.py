"""What a thread of a process does at this moment, as ``/proc`` tells without stopping it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ThreadCall:
    """One thread."""

    pid: int
    tid: int
    comm: str
    """Its name (hostile text: the program chooses it)."""
    state: str
    """``R`` running, ``S`` sleeping, ``D`` uninterruptible, ``T`` stopped, ``t`` traced, ``Z`` zombie."""
    call: str | None = None
    """The system call it is in: ``accept4``, ``futex``; ``running``; the number where its name is not known; null when
    this user may not know."""
    descriptor: int | None = None
    """The first argument, where it is a descriptor."""
    inode: int | None = None
    """The inode of the socket behind the descriptor."""
    on: str | None = None
    """The listener whose socket that is."""
    waits_in: str | None = None
    """The kernel function it sleeps in (``wchan``): ``inet_csk_accept``, ``do_epoll_wait``."""
