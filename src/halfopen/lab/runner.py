"""Many experiments at once, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import msgspec

from halfopen.lab.experiments import load
from halfopen.lab.protocol import RunOptions, Told
from halfopen.model.experiment import ExperimentResult

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.lab.experiment import Experiment

#: How much of what a failed process said is kept.
_TALK_MAX = 2000
_PORTION = 1 << 16
#: After its end, what it said last is there at once, unless a program that it started has its pipes.
_LAST_WORDS_S = 2.0


def run_all(names: Sequence[str], options: RunOptions, *, jobs: int) -> Iterator[ExperimentResult]:
    """The results in the order of ``names``, each as soon as it and those before it are there.

    Whoever stops asking, as Ctrl-C does, ends those that are under way and begins no other.
    """
    crew = _Crew()
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        try:
            yield from pool.map(lambda name: run_one(name, options, crew).result, names)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            crew.end()


def run_one(name: str, options: RunOptions, crew: _Crew | None = None) -> Told:
    """One experiment; what goes wrong with its process is its result."""
    with running(name, options, crew) as told:
        return told


class _Crew:
    """The processes of experiments that are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def add(self, process: subprocess.Popen[bytes]) -> None:
        """One more; where the end has come meanwhile, it is ended, too."""
        with self._lock:
            self._processes.add(process)
            if self._ended:
                process.kill()

    def remove(self, process: subprocess.Popen[bytes]) -> None:
        """It has been waited for."""
        with self._lock:
            self._processes.discard(process)

    def end(self) -> None:
        """End all of them."""
        with self._lock:
            self._ended = True
            for process in self._processes:
                process.kill()


@contextmanager
def running(name: str, options: RunOptions, crew: _Crew | None = None) -> Iterator[Told]:
    """One experiment, and within the context its process: with ``options.keep`` its hosts are there until the end."""
    experiment = load(name)
    # A pipe that stays open is how it knows that we are still there.
    lifeline, ours = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "halfopen.lab.child", name, msgspec.json.encode(options).decode()],
        stdin=lifeline,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=() if options.packets_to is None else (options.packets_to,),
    )
    os.close(lifeline)
    crew = crew or _Crew()
    crew.add(process)
    assert process.stdout is not None
    assert process.stderr is not None
    output, talk = _Drain(process.stdout), _Drain(process.stderr)
    try:
        yield _told(experiment, output, talk)
    finally:
        os.close(ours)
        process.kill()
        process.wait()
        crew.remove(process)
        output.close()
        talk.close()


class _Drain:
    """Reads a pipe to its end, on a thread of its own."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self.data = bytearray()
        self._pipe = pipe
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while portion := os.read(self._pipe.fileno(), _PORTION):
            self.data += portion

    def wait(self, timeout_s: float) -> bool:
        """Whether the end has come."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def close(self) -> None:
        """When the process has ended."""
        if self.wait(_LAST_WORDS_S):
            self._pipe.close()


def _told(experiment: Experiment, output: _Drain, talk: _Drain) -> Told:
    def failed(why: str) -> Told:
        return Told(ExperimentResult(experiment.name, experiment.title, experiment.claim, "failed", why))

    # It closes its output when it has told all, whether or not it goes on.
    if not output.wait(experiment.time_max_s):
        return failed(f"it took longer than {experiment.time_max_s:g} s and was ended")
    try:
        return msgspec.json.decode(bytes(output.data), type=Told)
    except msgspec.DecodeError:
        talk.wait(_LAST_WORDS_S)
        words = bytes(talk.data[-_TALK_MAX:]).decode(errors="replace").strip()
        return failed(words or "its process ended without a word")
