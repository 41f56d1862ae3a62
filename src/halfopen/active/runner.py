"""Many connects, one after another, in rounds: what ``halfopen probe`` and ``halfopen.probe`` run."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING

from halfopen.active.attempt import Whom, attempt
from halfopen.active.options import ConnectOptions
from halfopen.active.resolve import Family, Resolution, resolve
from halfopen.active.sources import fitting
from halfopen.errors import ResolveError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halfopen.model.probe import ProbeResult
    from halfopen.model.target import Target

#: Between two rounds, seconds: as ``ping`` has it.
INTERVAL_S = 1.0
#: More are a load, not a probe.
RATE_MAX = 1000.0
MORE_IS_A_LOAD = "halfopen load opens as many as the machine can"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePlan:
    """How often, how fast, to which addresses, and how."""

    count: int | None = 1
    """Rounds; None: without end."""
    interval_s: float = INTERVAL_S
    """Begin of one round to begin of the next, seconds."""
    rate: float | None = None
    """Instead: connects a second, over all targets."""
    family: Family = "any"
    """Only addresses of this one."""
    every_address: bool = False
    """Connect to every address of a name; else to the first, and to the next only when that fails, as a client does."""
    fast_open: bool = False
    """Beside each ordinary connect one with data in the SYN."""
    connect: ConnectOptions = field(default_factory=ConnectOptions)
    """How to connect."""

    def check(self) -> None:
        """Refuse what cannot be done.

        Raises:
            UsageError: a value is out of its range.
        """
        if self.count is not None and self.count < 1:
            raise UsageError(f"count cannot be {self.count}", why="at least one round is needed")
        if not 0 <= self.interval_s < float("inf"):
            raise UsageError(f"interval_s cannot be {self.interval_s:g}")
        if self.rate is not None and not 0 < self.rate <= RATE_MAX:
            raise UsageError(f"rate cannot be {self.rate:g}", why=f"up to {RATE_MAX:g} a second", hint=MORE_IS_A_LOAD)
        self.connect.check()


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A target whose name stands for no address."""

    target: Target
    error: ResolveError


def resolve_all(targets: Iterable[Target], plan: ProbePlan) -> Iterator[Resolution | Unresolved]:
    """Each target's addresses that the source address of the plan can reach, or why there are none.

    Raises:
        UsageError: from that source none of a target's addresses can be reached.
    """
    for target in targets:
        try:
            yield fitting(resolve(target, plan.family), plan.connect.source)
        except ResolveError as error:
            yield Unresolved(target, error)


def run(resolutions: Iterable[Resolution], plan: ProbePlan) -> Iterator[ProbeResult]:
    """The connects, each as it ends.

    Raises:
        UsageError: the socket cannot be made as asked.
        PrivilegeError: it may not be.
        NotAvailableError: this kernel cannot.
        KeyboardInterrupt: after the result that it cut short, which is ``interrupted``.
    """
    found = list(resolutions)
    return _Run(plan).rounds(found) if found else iter(())


class _Run:
    """The connects of one run, numbered and paced."""

    def __init__(self, plan: ProbePlan) -> None:
        self._plan = plan
        self._pace = _Pace(plan)
        self._numbers = count(1)

    def rounds(self, resolutions: list[Resolution]) -> Iterator[ProbeResult]:
        for round_ in count(1) if self._plan.count is None else range(1, self._plan.count + 1):
            self._pace.wait_for_round()
            for resolution in resolutions:
                for result in self._target(resolution, round_):
                    yield result
                    if result.interrupted:
                        raise KeyboardInterrupt

    def _target(self, resolution: Resolution, round_: int) -> Iterator[ProbeResult]:
        """Address after address until one connects, or all of them."""
        for destination in resolution.destinations:
            whom = Whom(resolution.target, destination, round_, resolve_us=resolution.resolve_us)
            connected = False
            for result in self._address(whom):
                connected = connected or result.established
                yield result
            if connected and not self._plan.every_address:
                return

    def _address(self, whom: Whom) -> Iterator[ProbeResult]:
        """An ordinary connect; with Fast Open one more, and a third where the second only asked for the cookie."""
        yield self._connect(whom)
        if self._plan.fast_open:
            first = self._connect(whom, fast_open=True)
            yield first
            if _asked_for_cookie(first):
                yield self._connect(whom, fast_open=True)

    def _connect(self, whom: Whom, *, fast_open: bool = False) -> ProbeResult:
        self._pace.wait_for_connect()
        return attempt(replace(whom, number=next(self._numbers)), self._plan.connect, fast_open=fast_open)


def _asked_for_cookie(result: ProbeResult) -> bool:
    report = result.fast_open
    return result.established and report is not None and report.failure == "no_cookie"


class _Pace:
    """When the next round and the next connect begin. Late ones do not hurry the next: no bursts."""

    def __init__(self, plan: ProbePlan) -> None:
        self._round_s = 0.0 if plan.rate else plan.interval_s
        self._connect_s = 1 / plan.rate if plan.rate else 0.0
        self._next_round = self._next_connect = time.monotonic()

    def wait_for_round(self) -> None:
        self._next_round = self._wait(self._next_round, self._round_s)

    def wait_for_connect(self) -> None:
        self._next_connect = self._wait(self._next_connect, self._connect_s)

    @staticmethod
    def _wait(moment: float, step: float) -> float:
        now = time.monotonic()
        if moment > now:
            time.sleep(moment - now)
        return max(moment, now) + step
