"""What a rule sees: the snapshot, perhaps an earlier one, and each namespace of both side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.rules.space import Space

if TYPE_CHECKING:
    from halfopen.model.snapshot import NetNamespace, Snapshot


@dataclass(frozen=True, slots=True)
class Context:
    """The facts, paired."""

    now: Snapshot
    before: Snapshot | None = None
    """An earlier one of the same boot; None when there is none, or it does not fit."""
    misfit: str | None = None
    """Why an earlier snapshot that was given could not be used."""
    spaces: tuple[Space, ...] = ()
    """A namespace each, in the snapshot's order."""

    @property
    def interval_s(self) -> float | None:
        """Seconds between the two snapshots."""
        return None if self.before is None else (self.now.monotonic_ns - self.before.monotonic_ns) / 1e9

    @property
    def host(self) -> Space | None:
        """The host's own namespace."""
        return next((space for space in self.spaces if space.now.kind == "host"), None)

    @classmethod
    def of(cls, now: Snapshot, before: Snapshot | None = None) -> Context:
        """Pair ``now`` with ``before``, unless they are of different machines, boots or order."""
        misfit = None if before is None else _misfit(before, now)
        if misfit is not None:
            before = None
        interval_s = None if before is None else (now.monotonic_ns - before.monotonic_ns) / 1e9
        spaces = tuple(Space.of(space, _same(space, before), interval_s, now) for space in now.netns)
        return cls(now, before, misfit, spaces)


def _misfit(before: Snapshot, now: Snapshot) -> str | None:
    if before.host.name != now.host.name:
        return "the two snapshots are of different machines"
    if before.host.boot_id and now.host.boot_id and before.host.boot_id != now.host.boot_id:
        return "the machine was booted between the two snapshots, which set every counter back to 0"
    if before.monotonic_ns >= now.monotonic_ns:
        return "the earlier snapshot is not earlier"
    return None


def _same(space: NetNamespace, before: Snapshot | None) -> NetNamespace | None:
    """The namespace in the earlier snapshot: inode numbers name it, where they are known."""
    for other in () if before is None else before.netns:
        if (other.inode == space.inode) if other.inode and space.inode else (other.name == space.name):
            return other
    return None
