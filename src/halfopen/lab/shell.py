"""A program inside a host of an experiment, at the moment when its pitfall is there and nothing is mended yet."""

from __future__ import annotations

import shutil
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from halfopen.errors import InputError, ProgramError, UsageError
from halfopen.lab.guard import guarded
from halfopen.lab.privilege import become_root_of_a_namespace
from halfopen.lab.story import Story
from halfopen.lab.topology import Network

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from halfopen.lab.experiment import Experiment
    from halfopen.lab.namespace import Namespace

#: Where one looks first, when the experiment has it.
USUAL_HOST = "server"
#: What shells add to the number of the signal that ended a program.
_BY_SIGNAL = 128
#: Signals that come to one process, not to all of a terminal.
_PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


class _SeenError(BaseException):
    """Whoever looked around has gone: no ``Exception``, so that nothing of the experiment holds it up."""


def check_host(experiment: Experiment, name: str | None) -> None:
    """UsageError where the experiment has no host of this name, before anything is run."""
    if name is not None and name not in experiment.hosts:
        raise UsageError("the experiment has no host", name, hint=f"it has {', '.join(experiment.hosts)}")


def run_inside(
    experiment: Experiment, seed: int, host: str | None, command: Sequence[str], ready: Callable[[Story, str], None]
) -> int:
    """Run the experiment until its pitfall is there, then ``command`` inside a host of it, and let everything go.

    ``ready`` is told the story so far and the name of the host. Gives the exit code of the command.

    Raises:
        UsageError: the experiment has no such host, or not yet where its pitfall is.
        ProgramError: there is no such program.
        InputError: the program cannot be run.
        PrivilegeError, NotAvailableError: this user or kernel cannot.
    """
    check_host(experiment, host)
    if shutil.which(command[0]) is None:
        raise ProgramError("cannot run", command[0], "no such program, or it may not be executed")
    become_root_of_a_namespace()
    codes: list[int] = []
    with Network(seed) as network:

        def look_around() -> None:
            # Within the experiment, so that all that its functions hold open is still there.
            chosen = _choose(network, host)
            ready(story, chosen.name)
            with guarded(network.hosts.values()):
                codes.append(_run(chosen, command))
            raise _SeenError

        story = Story(network, look=look_around)
        with suppress(_SeenError):
            experiment.run(story)
            look_around()
    return codes[0]


def _choose(network: Network, name: str | None) -> Namespace:
    # The first of several servers, where they have numbers.
    wanted = name or min(network.hosts, key=lambda each: not each.startswith(USUAL_HOST))
    if wanted not in network.hosts:
        raise UsageError(
            "the experiment does not have this host yet", wanted, hint=f"it has {', '.join(network.hosts)}"
        )
    return network.hosts[wanted]


def _run(host: Namespace, command: Sequence[str]) -> int:
    with _signals_passed_on() as pass_on_to:
        try:
            process = host.run(subprocess.Popen[bytes], command)
        except OSError as error:
            raise InputError("cannot run", command[0], str(error.strerror)) from error
        pass_on_to(process)
        code = process.wait()
    return code if code >= 0 else _BY_SIGNAL - code


@contextmanager
def _signals_passed_on() -> Iterator[Callable[[subprocess.Popen[bytes]], None]]:
    """What would end us ends the command, so that it does not outlive us. Ctrl-C has reached both of us already.

    Gives what is to be called with the command once it runs; a signal that came before is passed on then.
    """
    early: list[int] = []
    running: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _: FrameType | None) -> None:
        if running:
            running[0].send_signal(number)
        else:
            early.append(number)

    def begin(process: subprocess.Popen[bytes]) -> None:
        running.append(process)
        for number in early:
            process.send_signal(number)

    handlers = {signal.SIGINT: lambda *_: None, **dict.fromkeys(_PASSED_ON, pass_on)}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield begin
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
