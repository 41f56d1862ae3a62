"""What ``halfopen probe`` was asked to do, as one value, and which wishes exclude each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.active.options import TIMEOUT_MAX_S, ConnectOptions
from halfopen.active.runner import INTERVAL_S, MORE_IS_A_LOAD, RATE_MAX, ProbePlan
from halfopen.errors import UsageError
from halfopen.model.target import DEFAULT_PORT

if TYPE_CHECKING:
    from pathlib import Path

#: Connects of a run that is written at its end: some 5 kB each.
HELD_MAX = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOptions:
    """The options, under their names; None is «not given»."""

    targets: tuple[str, ...]
    port: int = DEFAULT_PORT
    count: int | None = None
    interval: float | None = None
    rate: float | None = None
    timeout: float = 5.0
    ipv4: bool = False
    ipv6: bool = False
    all_addresses: bool = False
    source: str | None = None
    source_port: int | None = None
    interface: str | None = None
    mark: int | None = None
    ttl: int | None = None
    mss: int | None = None
    nodelay: bool = False
    quickack: bool | None = None
    syn_retries: int | None = None
    await_data: bool = False
    send: bytes | None = None
    fast_open: bool = False
    watch: bool = False
    explain: bool = False
    output: Path | None = None

    def plan(self, format_: str) -> ProbePlan:
        """The run that is asked for.

        Raises:
            UsageError: two wishes exclude each other, or a value is out of its range.
        """
        if self.ipv4 and self.ipv6:
            raise UsageError("-4 and -6 exclude each other", hint="without them both families are tried")
        if self.interval is not None and self.rate is not None:
            raise UsageError("-i and --rate say the same thing: give one of them")
        if self.send is not None and not self.await_data and not self.fast_open:
            raise UsageError("--send is for --await-data or --fast-open", hint="add --await-data to see the answer")
        if self.watch and self.count is None and format_ in {"json", "parquet"}:
            raise UsageError(
                f"--watch has no end, and --format {format_} is written at the end: give -c, or take jsonl"
            )
        if (self.count or 1) > HELD_MAX and format_ in {"json", "parquet"}:
            raise UsageError(f"--format {format_} holds all connects until the end, {HELD_MAX} at most: take jsonl")
        if self.explain and format_ in {"jsonl", "csv", "parquet"}:
            raise UsageError(f"--explain writes sentences, --format {format_} records: take text or json")
        self._check_times()
        plan = ProbePlan(
            count=self._rounds(),
            interval_s=INTERVAL_S if self.interval is None else self.interval,
            rate=self.rate,
            family="ipv4" if self.ipv4 else "ipv6" if self.ipv6 else "any",
            every_address=self.all_addresses,
            fast_open=self.fast_open,
            connect=self._connect(),
        )
        plan.check()
        return plan

    def _check_times(self) -> None:
        """What the plan would refuse too, but under the names of a program."""
        if not 0 < self.timeout <= TIMEOUT_MAX_S:
            raise UsageError(
                f"--timeout {self.timeout:g} s is out of range", why="more than nothing, and a day at most"
            )
        if self.interval is not None and self.interval > TIMEOUT_MAX_S:
            raise UsageError(f"--interval {self.interval:g} s is out of range", why="a day at most")
        if self.rate is not None and not 0 < self.rate <= RATE_MAX:
            raise UsageError(
                f"--rate {self.rate:g} is out of range", why=f"up to {RATE_MAX:g} a second", hint=MORE_IS_A_LOAD
            )

    def _rounds(self) -> int | None:
        return None if self.watch and self.count is None else self.count or 1

    def _connect(self) -> ConnectOptions:
        return ConnectOptions(
            timeout_s=self.timeout,
            source=self.source,
            source_port=self.source_port,
            interface=self.interface,
            mark=self.mark,
            ttl=self.ttl,
            mss=self.mss,
            nodelay=self.nodelay,
            quickack=self.quickack,
            syn_retries=self.syn_retries,
            await_data=self.await_data,
            send=self.send or b"",
        )
