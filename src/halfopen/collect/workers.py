"""A few threads that visit network namespaces, each visit with a deadline.

A thread that hangs in the kernel cannot be stopped: it is left behind (it is a daemon, and does not hold the program)
and another takes its place. The main thread never enters a namespace.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
R = TypeVar("R")

ABANDONED_MAX = 8
"""Threads left behind before no new one is begun: a host where every namespace hangs must not be filled with them."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, and how many at a time."""

    threads: int = 4
    each_s: float = 5.0
    """For one task."""
    all_s: float = 20.0
    """For all of them together."""


@dataclass(frozen=True, slots=True)
class NotDone:
    """Why there is no result: ``no answer within 5 s``."""

    why: str


@dataclass(slots=True, eq=False)
class _Worker(Generic[T]):
    """One thread, and what it is at; written by the thread, read by the main one."""

    task: T | None = None
    since: float = 0.0
    given_up: T | None = None
    """The task that it was left behind with."""


class Pool(Generic[T, R]):
    """Visits every task once; ``begin()`` is called in each thread and gives the function that visits."""

    def __init__(
        self,
        tasks: Sequence[T],
        begin: Callable[[], Callable[[T], R]],
        limits: Limits,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._left = len(tasks)
        self._waiting = deque(tasks)
        self._begin = begin
        self._limits = limits
        self._done: SimpleQueue[tuple[_Worker[T], T, R | Exception]] = SimpleQueue()
        self._workers: list[_Worker[T]] = []
        self._abandoned = 0
        self._clock = clock
        self._end = clock() + limits.all_s

    def results(self) -> Iterator[tuple[T, R | NotDone]]:
        """Each task with its result, as they end; a defect of the function is raised here."""
        for _ in range(min(self._limits.threads, self._left)):
            self._start()
        while self._left and self._workers and self._clock() < self._end:
            try:
                worker, task, result = self._done.get(timeout=self._patience())
            except Empty:
                yield from self._abandon(self._limits.each_s, f"no answer within {self._limits.each_s:g} s")
                continue
            if task is worker.given_up:
                continue
            if isinstance(result, Exception):
                raise result
            self._left -= 1
            yield task, result
        yield from self._abandon(-1, f"no answer when the {self._limits.all_s:g} s for all were over")
        yield from self._rest()

    def _start(self) -> None:
        worker: _Worker[T] = _Worker()
        self._workers.append(worker)
        Thread(target=self._work, args=(worker,), daemon=True, name="halfopen-netns").start()

    def _work(self, worker: _Worker[T]) -> None:
        """What a thread does until nothing waits."""
        visit = self._begin()
        while worker.given_up is None:
            try:
                task = self._waiting.popleft()
            except IndexError:
                break
            worker.since = self._clock()
            worker.task = task
            try:
                result: R | Exception = visit(task)
            except Exception as error:  # noqa: BLE001  (raised again by the main thread)
                result = error
            worker.task = None
            self._done.put((worker, task, result))

    def _patience(self) -> float:
        """Seconds until somebody may be overdue."""
        now = self._clock()
        busy = [worker.since + self._limits.each_s - now for worker in self._workers if worker.task is not None]
        return max(0.001, min([*busy, self._end - now, self._limits.each_s]))

    def _abandon(self, after_s: float, why: str) -> Iterator[tuple[T, NotDone]]:
        """Leave threads behind that have been at one task for longer than ``after_s``, and begin others."""
        now = self._clock()
        for worker in list(self._workers):
            task = worker.task
            if task is not None and now - worker.since > after_s:
                worker.given_up = task
                self._workers.remove(worker)
                self._left -= 1
                self._abandoned += 1
                yield task, NotDone(why)
                if self._waiting and self._abandoned <= ABANDONED_MAX:
                    self._start()

    def _rest(self) -> Iterator[tuple[T, NotDone]]:
        while self._waiting:
            try:
                task = self._waiting.popleft()
            except IndexError:
                return
            yield task, NotDone(f"there was no time left within {self._limits.all_s:g} s")
