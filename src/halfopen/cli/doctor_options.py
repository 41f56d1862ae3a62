"""What ``halfopen doctor`` was asked, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from halfopen.cli.two_snapshots import check
from halfopen.errors import UsageError

FAIL_ON = ("critical", "warning", "notice", "never")


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """The command line."""

    for_s: float | None = None
    snapshots: tuple[str, ...] = ()
    netns: Literal["all", "own"] = "all"
    fail_on: str | None = None
    verbose: bool = False
    target: str | None = None
    strace: str | None = None
    capture: bool = False
    pcap: str | None = None

    @property
    def threshold(self) -> str:
        """The severity that counts: a target that cannot be reached is why a script asks (ADR 29)."""
        return self.fail_on or ("never" if self.target is None else "critical")

    def check(self) -> None:
        """Raise UsageError for what cannot be meant."""
        check(self.for_s, self.snapshots)
        if self.target is not None and (self.snapshots or self.for_s is not None):
            raise UsageError(
                "a target is examined from this host, between two snapshots of its own: without --for and --snapshot"
            )
        if (self.capture or self.pcap is not None) and self.target is None:
            raise UsageError("--capture goes with a target", hint="halfopen doctor HOST:PORT --capture")
        if self.strace is not None and self.target is None:
            raise UsageError("--strace goes with a target", hint="halfopen doctor HOST:PORT --strace listener")
        if self.strace is not None and self.strace != "listener" and not self.strace.isdigit():
            raise UsageError(f"--strace takes a process id, or «listener», not {self.strace!r}")
