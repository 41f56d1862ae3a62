"""Network namespaces that are mounted somewhere: the ``nsfs`` entries of ``/proc/<pid>/mountinfo``.

``ip netns``, Docker and CNI leave such mounts where no process lives. They are in the reader's mount namespace, or in
that of a runtime that has one of its own (rootless Podman, a snap): one process of each mount namespace is asked, and
its mounts are reached through its root directory.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfopen.collect.text import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.collect.roots import Roots

MOUNT_NAMESPACES = 1000
"""That many are looked at: half a second's work where each has a hundred mounts."""
LINK = re.compile(r"net:\[(\d+)\]$")
"""What ``/proc/<pid>/ns/net`` leads to, and the root of such a mount."""


@dataclass(slots=True)
class Mounts:
    """What was found."""

    found: list[tuple[int, str]] = field(default_factory=list)
    """Inode, and the path by which it is opened; the reader's own mounts first."""
    unread: int = 0
    """Mount namespaces that were not looked at."""


def mounts(roots: Roots, pids: Sequence[int]) -> Mounts:
    """Of the reader's mount namespace, and of those of the processes. Never raises."""
    result = Mounts(list(mounted(_mountinfo(f"{roots.proc}/self/mountinfo"))))
    seen = {_mount_namespace(f"{roots.proc}/self")}
    for pid in pids:
        process = f"{roots.proc}/{pid}"
        inode = _mount_namespace(process)
        if inode is None or inode in seen:
            continue
        seen.add(inode)
        if len(seen) > MOUNT_NAMESPACES:
            result.unread += 1
            continue
        result.found += [(net, f"{process}/root{path}") for net, path in mounted(_mountinfo(f"{process}/mountinfo"))]
    return result


def mounted(mountinfo: str) -> Iterator[tuple[int, str]]:
    """Inode and path of each mounted network namespace (proc_pid_mountinfo(5): root is field 4, the place field 5)."""
    if " net:[" not in mountinfo:
        return
    for line in mountinfo.split("\n"):
        fields = line.split(" ")
        if len(fields) > 5 and (match := LINK.match(fields[3])):
            yield int(match.group(1)), re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), fields[4])


def _mount_namespace(process: str) -> str | None:
    try:
        return os.readlink(f"{process}/ns/mnt")  # noqa: PTH115  (called for every process)
    except OSError:  # it ended, or may not be asked
        return None


def _mountinfo(path: str) -> str:
    try:
        # A path is to be opened: what is no UTF-8 in it stays as the system's functions have it.
        return os.fsdecode(read_bytes(path))
    except OSError:
        return ""
