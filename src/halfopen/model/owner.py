"""Who holds a socket or lives in a network namespace: process, unit, container."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, as far as this user may know it. Names are hostile text: escape them before printing."""

    pid: int
    """Process id in the pid namespace of the reader."""
    comm: str
    """``/proc/<pid>/comm``: at most 15 bytes, chosen by the process itself."""
    uid: int | None = None
    """Real user id."""
    executable: str | None = None
    """What ``/proc/<pid>/exe`` points to; null without permission."""
    command: tuple[str, ...] = ()
    """The first arguments of ``/proc/<pid>/cmdline``, at most 16 of at most 256 bytes."""
    unit: str | None = None
    """systemd unit, from the control group's path: ``nginx.service``."""
    container: str | None = None
    """Container or pod id, from the control group's path."""
    cgroup: str | None = None
    """Path of the control group (version 2), ``/system.slice/nginx.service``."""
    started_at_ns: int | None = None
    """When the process began, nanoseconds since the epoch (to 10 ms, the kernel's tick)."""
    parent: int | None = None
    """Process id of its parent."""
    state: str | None = None
    """The letter of proc_pid_stat(5): ``S`` sleeps, ``R`` runs, ``D`` waits for a disk, ``T`` is stopped."""
    descriptors: int | None = None
    """File descriptors that it has open; null before Linux 6.2, which does not tell without counting them."""
    descriptors_limit: int | None = None
    """How many it may have: its soft RLIMIT_NOFILE."""

    @property
    def hands_over(self) -> bool:
        """Whether it makes listeners for others, which inherit them: systemd, of the system or of a user."""
        return self.comm == "systemd"

    @property
    def out_of_descriptors(self) -> bool:
        """Whether its next accept() fails with EMFILE."""
        counts = self.descriptors, self.descriptors_limit
        return counts[0] is not None and counts[1] is not None and counts[0] >= counts[1]
