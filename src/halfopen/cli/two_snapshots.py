"""This host twice, with a wait between; or what files say of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

from halfopen.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection

    from halfopen.cli.printer import Printer
    from halfopen.model.snapshot import Snapshot

Netns = Literal["all", "own"]

#: A day: longer than anybody watches, and short enough for the clock.
FOR_S_MAX = 86400.0
#: How often a wait looks whether it is over, so that the line of progress moves.
STEP_S = 0.2


def check(for_s: float | None, files: tuple[str, ...]) -> None:
    """Raise UsageError for what cannot be meant."""
    if for_s is not None and not 0 < for_s <= FOR_S_MAX:
        raise UsageError("--for takes more than 0 s and at most a day")
    if for_s is not None and files:
        raise UsageError("--for watches this host, and --snapshot is about a file", hint="give two snapshots instead")
    if len(files) > 2:
        raise UsageError("--snapshot can be given once or twice: an earlier and a later one")


def snapshots(
    printer: Printer,
    *,
    for_s: float | None = None,
    files: tuple[str, ...] = (),
    netns: Netns = "all",
    only: Collection[str] | None = None,
) -> tuple[Snapshot, Snapshot | None]:
    """The one to look at, and an earlier one where there is one."""
    from halfopen.collect import load, take

    if files:
        found = sorted(map(load, files), key=lambda snapshot: snapshot.taken_at_ns)
        return found[-1], found[0] if len(found) > 1 else None
    before = None
    if for_s is not None:
        before = take(only, netns)
        watch(printer, before, for_s)
    return take(only, netns), before


def watch(printer: Printer, before: Snapshot, for_s: float) -> None:
    """Wait until ``for_s`` after ``before`` was taken."""
    end_s = before.monotonic_ns / 1e9 + for_s
    with printer.progress("watching") as progress:
        while (left_s := end_s - time.clock_gettime(time.CLOCK_MONOTONIC)) > 0:
            progress.wait(for_s - left_s, for_s)
            time.sleep(min(STEP_S, left_s))
