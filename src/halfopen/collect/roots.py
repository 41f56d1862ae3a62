"""Where the host's own files lie: an argument, so that a test brings its own trees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Roots:
    """The directories that collectors read. Nothing of the host's files is opened by any other path."""

    proc: Path = Path("/proc")
    dev: Path = Path("/dev")
    files: Path = Path("/")
    """What ``/etc``, ``/run``, ``/usr``, ``/lib`` and ``/var`` stand below."""

    @classmethod
    def below(cls, root: Path) -> Roots:
        """All of them below one directory, as in a mounted image or a test."""
        return cls(proc=root / "proc", dev=root / "dev", files=root)

    def file(self, path: str) -> Path:
        """The place of ``/etc/os-release`` and the like."""
        return self.files / path.lstrip("/")
