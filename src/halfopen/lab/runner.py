"""Many experiments at once, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import msgspec

from halfopen.lab.experiments import load
from halfopen.model.experiment import ExperimentResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: How much of what a failed process said is kept.
_TALK_MAX = 2000


def run_all(names: Sequence[str], *, seed: int, jobs: int) -> Iterator[ExperimentResult]:
    """The results in the order of ``names``, each as soon as it and those before it are there."""
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        yield from pool.map(lambda name: run_one(name, seed), names)


def run_one(name: str, seed: int) -> ExperimentResult:
    """One experiment; what goes wrong with its process is its result."""
    experiment = load(name)

    def failed(why: str) -> ExperimentResult:
        return ExperimentResult(name, experiment.title, experiment.claim, "failed", why)

    # A pipe that stays open is how it knows that we are still there.
    lifeline, ours = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "halfopen.lab.child", name, str(seed)],
        stdin=lifeline,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(lifeline)
    try:
        output, talk = process.communicate(timeout=experiment.time_max_s)
    except subprocess.TimeoutExpired:
        return failed(f"it took longer than {experiment.time_max_s:g} s and was ended")
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    try:
        return msgspec.json.decode(output, type=ExperimentResult)
    except msgspec.DecodeError:
        return failed(talk[-_TALK_MAX:].decode(errors="replace").strip() or "its process ended without a word")
