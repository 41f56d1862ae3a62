"""What collectors of every namespace share: the roots, the clock at the begin, facts of processes read once."""

from __future__ import annotations

from dataclasses import dataclass, field

from halfopen.collect.clock import Clock
from halfopen.collect.modules import has_module
from halfopen.collect.process_table import ProcessTable
from halfopen.collect.roots import Roots


@dataclass(slots=True)
class HostWide:
    """Shared by all collectors of one snapshot, in all threads."""

    roots: Roots = field(default_factory=Roots)
    clock: Clock = field(default_factory=Clock.now)
    many: bool = False
    """There are so many namespaces that of most only those settings are read that rules look at."""
    processes: ProcessTable = field(init=False)
    _modules: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """The table of processes looks below the same roots."""
        self.processes = ProcessTable(self.roots, self.clock)

    def has_module(self, name: str) -> bool:
        """Whether the kernel has a module now; looked up once."""
        # Two threads may both look: they find the same.
        if name not in self._modules:
            self._modules[name] = has_module(self.roots, name)
        return self._modules[name]
