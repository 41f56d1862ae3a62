"""One experiment in a process of its own: ``python -m halfopen.lab.child NAME OPTIONS``; it prints JSON.

A process for each keeps them apart, lets one be given up, and lets the kernel clean up whatever becomes of it: the
namespaces go with their last descriptor. It ends when its standard input does, so it cannot outlive who started it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from halfopen.errors import NotAvailableError, PrivilegeError
from halfopen.lab.experiments import load
from halfopen.lab.ladders import draw
from halfopen.lab.links import report
from halfopen.lab.pcapng import write_pcapng
from halfopen.lab.privilege import become_root_of_a_namespace
from halfopen.lab.protocol import RunOptions, Told
from halfopen.lab.recording import Recorder
from halfopen.lab.story import Story
from halfopen.lab.timelines import timeline
from halfopen.lab.topology import Network
from halfopen.lab.waiting import NeverHappenedError
from halfopen.model.experiment import ExperimentResult

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from halfopen.lab.experiment import Experiment
    from halfopen.lab.recording import Recording

    Result = Literal["passed", "failed", "skipped"]


def main() -> None:
    """Run what the command line names."""
    name, options = sys.argv[1], msgspec.json.decode(sys.argv[2], type=RunOptions)
    experiment = load(name)
    try:
        become_root_of_a_namespace()
    except PrivilegeError as error:
        _tell(Told(ExperimentResult(name, experiment.title, experiment.claim, "skipped", str(error))))
    else:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        _run_told(experiment, options)
    # Threads that wait inside a namespace may not keep the process: its end is what cleans up.
    os._exit(0)


def _run_told(experiment: Experiment, options: RunOptions) -> None:
    with network_for(options) as network:

        def keep() -> None:
            """Within the experiment, so that all that its functions hold open is still there."""
            _tell(_judge(experiment, options, story, begin))
            threading.Event().wait()

        begin = time.monotonic()
        story = Story(network, look=keep if options.keep else None)
        why = _attempt(experiment, story)
        _tell(_judge(experiment, options, story, begin, why))
        if options.keep:
            threading.Event().wait()


def _tell(told: Told) -> None:
    """The runner reads until the end, so the output ends here even where the process goes on."""
    sys.stdout.buffer.write(msgspec.json.encode(told))
    sys.stdout.flush()
    os.dup2(2, 1)


def _end_with_parent() -> None:
    # No reading through sys.stdin: its lock, held at the end of the interpreter, is a fatal error.
    while os.read(0, 1):
        pass
    os._exit(1)


def network_for(options: RunOptions) -> Network:
    """An empty network, with a recorder where the packets are wanted."""
    return Network(options.seed, Recorder() if options.records else None)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why an experiment did not come to its end."""

    result: Result
    why: str


def _judge(
    experiment: Experiment, options: RunOptions, story: Story, begin: float, trouble: _Trouble | None = None
) -> Told:
    """What is to be said of it, with what it has observed until now."""
    seconds = time.monotonic() - begin
    network = story.network
    recordings = network.recorder.recordings if network.recorder is not None else []
    ladders = () if options.ladder_width is None else tuple(draw(recordings, options.ladder_width))
    kept = (None, None, ()) if options.packets_to is None else _keep(recordings, options, experiment.name)
    trouble = trouble or _wrong(story)
    judged = ExperimentResult(
        experiment.name,
        experiment.title,
        experiment.claim,
        "passed" if trouble is None else trouble.result,
        None if trouble is None else trouble.why,
        seconds,
        tuple(story.lines),
        story.remedy_text,
        tuple(story.before),
        tuple(story.after),
        tuple(story.series),
        tuple(story.bars),
        tuple(filter(None, [timeline(recordings)] if options.ladder_width is not None else [])),
        tuple(story.tables),
        tuple(report(network.links, story.begin_ns)),
        ladders,
    )
    return Told(judged, _places(network), *kept)


def _keep(
    recordings: Sequence[Recording], options: RunOptions, name: str
) -> tuple[int | None, str | None, tuple[str, ...]]:
    """How many packets were written, or why not all of them; and what nobody could keep."""
    assert options.packets_to is not None
    wanted = [each for each in recordings if options.packets_of in {None, each.host.name}]
    try:
        with os.fdopen(options.packets_to, "wb") as output:
            count = write_pcapng(wanted, output, f"halfopen lab run {name}")
    except OSError as error:
        return None, error.strerror or str(error), ()
    return count, None, tuple(gap for each in wanted for gap in each.gaps())


def _places(network: Network) -> dict[str, str]:
    return {name: f"/proc/{os.getpid()}/fd/{host.descriptor}" for name, host in network.hosts.items()}


def _attempt(experiment: Experiment, story: Story) -> _Trouble | None:
    try:
        experiment.run(story)
        # Where it has nothing to mend.
        story.pitfall()
    except (NotAvailableError, PrivilegeError) as error:
        return _Trouble("skipped", str(error))
    except NeverHappenedError as error:
        return _Trouble("failed", str(error))
    except Exception as error:  # noqa: BLE001  (a defect of one experiment is that experiment's result)
        traceback.print_exc(file=sys.stderr)
        return _Trouble("failed", f"{type(error).__name__}: {error}")
    return None


def _wrong(story: Story) -> _Trouble | None:
    wrong = [check for check in (*story.before, *story.after) if not check.holds]
    if wrong:
        words = (f"{check.what}: {check.observed}, expected {check.expected}" for check in wrong)
        return _Trouble("failed", "; ".join(words))
    return None if story.before else _Trouble("failed", "it observed nothing")


if __name__ == "__main__":
    main()
