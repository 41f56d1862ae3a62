"""How a whole process is measured: wall time and peak memory, warm, the best of several runs.

The best, not the mean: whatever else a machine does only ever adds time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

Command = Sequence[str | os.PathLike[str]]


@dataclass(frozen=True, order=True)
class Run:
    """One process, from its start to its end."""

    seconds: float
    peak_bytes: int
    cpu_seconds: float = 0.0
    """In the kernel and outside."""


@dataclass(frozen=True)
class Result:
    """A claim, and what was measured of it."""

    claim: str
    ours: float
    """In ``unit``."""
    peer: str
    peers: float
    """The peer's, in ``unit``; or the limit itself, where the claim is one."""
    unit: str
    most: float
    """The largest ratio ours : peer at which the claim holds."""

    @property
    def ratio(self) -> float:
        """Ours : peer."""
        return self.ours / self.peers

    @property
    def met(self) -> bool:
        """Whether the claim holds."""
        return self.ratio <= self.most

    def line(self) -> str:
        """The result on one line."""
        verdict = "ok    " if self.met else "MISSED"
        figures = f"{self.ours:.3g} {self.unit}, {self.peer} {self.peers:.3g} {self.unit}"
        return f"{verdict} {self.claim}: {figures}, ratio {self.ratio:.3g} (at most {self.most:g})"


def run(command: Command) -> Run:
    """Run ``command`` with its output thrown away.

    Raises:
        RuntimeError: it did not exit with 0: what it did is not what was to be measured.
    """
    arguments = [os.fspath(argument) for argument in command]
    null = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(arguments[0], arguments, os.environ, file_actions=null)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    if status != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    # Linux counts ru_maxrss in KiB.
    return Run(seconds, usage.ru_maxrss * 1024, usage.ru_utime + usage.ru_stime)


def alternating(ours: Command, peer: Command, times: int) -> tuple[Run, Run]:
    """The fastest run of each, in turn: what else the machine does meanwhile meets both."""
    run(ours)
    run(peer)
    pairs = [(run(ours), run(peer)) for _ in range(times)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def best(command: Command, times: int) -> Run:
    """The fastest of ``times`` runs, after one that warms the caches; the peak memory is the largest of all."""
    run(command)
    runs = [run(command) for _ in range(times)]
    return Run(min(one.seconds for one in runs), max(one.peak_bytes for one in runs))
