"""One experiment in a process of its own: ``python -m halfopen.lab.child NAME SEED``; it prints the result as JSON.

A process for each keeps them apart, lets one be given up, and lets the kernel clean up whatever becomes of it: the
namespaces go with their last descriptor. It ends when its standard input does, so it cannot outlive who started it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING

import msgspec

from halfopen.errors import NotAvailableError, PrivilegeError
from halfopen.lab.experiments import load
from halfopen.lab.privilege import become_root_of_a_namespace
from halfopen.lab.story import Story
from halfopen.lab.topology import Network
from halfopen.lab.waiting import NeverHappenedError
from halfopen.model.experiment import ExperimentResult

if TYPE_CHECKING:
    from typing import Literal

    from halfopen.lab.experiment import Experiment

    Result = Literal["passed", "failed", "skipped"]


def main() -> None:
    """Run what the command line names."""
    name, seed = sys.argv[1], int(sys.argv[2])
    experiment = load(name)
    try:
        become_root_of_a_namespace()
    except PrivilegeError as error:
        result = ExperimentResult(name, experiment.title, experiment.claim, "skipped", str(error))
    else:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        result = run(experiment, seed)
    sys.stdout.buffer.write(msgspec.json.encode(result))
    sys.stdout.flush()
    # Threads that wait inside a namespace may not keep the process: its end is what cleans up.
    os._exit(0)


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def run(experiment: Experiment, seed: int) -> ExperimentResult:
    """Run it in a fresh network, and judge what it observed."""
    begin = time.monotonic()
    with Network(seed) as network:
        story = Story(network)
        result, why = _attempt(experiment, story)
    return ExperimentResult(
        experiment.name,
        experiment.title,
        experiment.claim,
        result,
        why,
        time.monotonic() - begin,
        tuple(story.lines),
        story.remedy_text,
        tuple(story.before),
        tuple(story.after),
        tuple(story.series),
        tuple(story.ladders),
    )


def _attempt(experiment: Experiment, story: Story) -> tuple[Result, str | None]:
    try:
        experiment.run(story)
    except (NotAvailableError, PrivilegeError) as error:
        return "skipped", str(error)
    except NeverHappenedError as error:
        return "failed", str(error)
    except Exception as error:  # noqa: BLE001  (a defect of one experiment is that experiment's result)
        traceback.print_exc(file=sys.stderr)
        return "failed", f"{type(error).__name__}: {error}"
    wrong = [check for check in (*story.before, *story.after) if not check.holds]
    if wrong:
        return "failed", "; ".join(f"{check.what}: {check.observed}, expected {check.expected}" for check in wrong)
    if not story.before:
        return "failed", "it observed nothing"
    return "passed", None


if __name__ == "__main__":
    main()
