"""What the path of a control group says of a process: its systemd unit, its container, its pod. Pure.

Forms seen in the field (cgroup v2, and v1's hierarchies the same below their mount):
``/system.slice/nginx.service``, ``/docker/<id>``, ``/system.slice/docker-<id>.scope``,
``/machine.slice/libpod-<id>.scope/container``, ``/kubepods/burstable/pod<uid>/<id>``,
``/kubepods.slice/kubepods-pod<uid>.slice/cri-containerd-<id>.scope``, ``/lxc.payload.<name>``,
``/machine.slice/machine-<name>.scope``, ``/system.slice/systemd-nspawn@<name>.service``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

_ID = re.compile(r"(?:^|[-:])(?P<id>[0-9a-f]{64})(?:\.scope)?$")
_POD = re.compile(r"(?:^|-)pod(?P<uid>[0-9a-f]{8}[-_]?(?:[0-9a-f]{4}[-_]?){3}[0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$")
_NAMED = re.compile(
    r"^(?:lxc\.payload\.(?P<lxc>.+)|machine-(?P<machine>.+)\.scope|systemd-nspawn@(?P<nspawn>.+)\.service)$"
)
_UNIT = re.compile(r"^[^/]+\.(?:service|scope|socket|mount|timer|swap|path|automount)$")


@dataclass(frozen=True, slots=True)
class Identity:
    """What the path names; each None where it does not."""

    unit: str | None = None
    """``nginx.service``."""
    container: str | None = None
    """64 hexadecimal digits, or the name of an LXC or nspawn container."""
    pod: str | None = None
    """The pod's uid, with dashes."""


def identify(path: str) -> Identity:
    """Read a path; an unknown form gives an empty identity."""
    parts = [part for part in path.split("/") if part]
    return Identity(_unit(parts), _container(parts), _pod(parts))


def cgroup_of(text: str) -> str | None:
    """The path in ``/proc/<pid>/cgroup``: version 2's, or the first of version 1's that is not the root."""
    paths = {}
    for line in text.split("\n"):
        hierarchy, _, rest = line.partition(":")
        if rest:
            paths[hierarchy] = rest.partition(":")[2]
    unified = paths.pop("0", None)
    if unified and unified != "/":
        return unified
    return next((path for path in paths.values() if path != "/"), unified)


def _unit(parts: list[str]) -> str | None:
    """The first unit below the slices; inside a user's own manager, the one that it runs."""
    units = [part for part in parts if _UNIT.match(part)]
    if len(units) > 1 and units[0].startswith("user@"):
        return units[1]
    return units[0] if units else None


def _container(parts: list[str]) -> str | None:
    for part in reversed(parts):
        if match := _ID.search(part):
            return match.group("id")
    for part in parts:
        if match := _NAMED.match(part):
            return next(name for name in match.groups() if name)
    for parent, child in pairwise(parts):
        if parent == "lxc":
            return child
    return None


def _pod(parts: list[str]) -> str | None:
    for part in parts:
        if match := _POD.search(part):
            digits = re.sub("[-_]", "", match.group("uid"))
            return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
    return None
