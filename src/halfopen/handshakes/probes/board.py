"""What is known of every target so far: addresses, numbers, and whether it is reachable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfopen.handshakes.probes.summary import KEPT, Tally
from halfopen.model.probe import TargetReport

if TYPE_CHECKING:
    from halfopen.model.probe import ProbeResult
    from halfopen.model.target import Target


@dataclass(slots=True)
class _Row:
    addresses: tuple[str, ...] = ()
    resolve_us: float | None = None
    error: str | None = None
    ordinary: dict[str, Tally] = field(default_factory=dict)
    fast_open: dict[str, Tally] = field(default_factory=dict)


class Board:
    """Filled as a run goes on; ``reports()`` and ``reachable`` at any time.

    Args:
        every_address: a target is reachable only when each of its addresses is.
    """

    def __init__(self, *, every_address: bool = False) -> None:
        self._every_address = every_address
        self._rows: dict[Target, _Row] = {}

    def resolved(self, target: Target, addresses: tuple[str, ...], resolve_us: float | None) -> None:
        """The name stands for these addresses."""
        self._rows[target] = _Row(addresses, resolve_us)

    def unresolved(self, target: Target, why: str) -> None:
        """The name stands for nothing."""
        self._rows[target] = _Row(error=why)

    def add(self, result: ProbeResult) -> None:
        """Count a connect to a target that was resolved."""
        row = self._rows[result.target]
        tallies = row.ordinary if result.fast_open is None else row.fast_open
        # The more addresses, the fewer times of each: the whole stays within the limit of one.
        tally = tallies.setdefault(result.handshake.server, Tally(max(KEPT // self._places(), 1000)))
        tally.add(result)

    def _places(self) -> int:
        return max(sum(len(row.addresses) for row in self._rows.values()), 1)

    @property
    def places(self) -> int:
        """Addresses of all targets together."""
        return self._places()

    def reports(self) -> list[TargetReport]:
        """Every target in its order."""
        return [self._report(target, row) for target, row in self._rows.items()]

    @property
    def reachable(self) -> bool:
        """Whether every target is."""
        return bool(self._rows) and all(report.reachable for report in self.reports())

    def _report(self, target: Target, row: _Row) -> TargetReport:
        ordinary = {address: tally.summary() for address, tally in row.ordinary.items()}
        fast_open = {address: tally.summary() for address, tally in row.fast_open.items()}
        well = [address for address in row.addresses if address in ordinary and ordinary[address].satisfied]
        reachable = bool(well) and (len(well) == len(row.addresses) or not self._every_address)
        return TargetReport(target, row.addresses, row.resolve_us, row.error, ordinary, fast_open, reachable)
