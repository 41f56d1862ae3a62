"""One collector's failure is one gap; the framework measures and names it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.collect.trees import host_context

from halfopen.collect.framework import Collector, Context, reason, run
from halfopen.collect.workers import ABANDONED_MAX, Limits, NotDone, Pool
from halfopen.errors import NotAvailableError
from halfopen.model.snapshot import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def raising(error: BaseException) -> Callable[[Context], object]:
    def collect(context: Context) -> object:
        raise error

    return collect


def test_one_failure_never_takes_the_rest_down(tmp_path: Path) -> None:
    def partly(context: Context) -> int:
        context.missing("half of it", "it is hidden")
        return 5

    found = run(
        (
            Collector("a", "a", "the first", raising(RuntimeError("boom"))),
            Collector("b", "b", "the second", raising(PermissionError(13, "Permission denied", "/x"))),
            Collector("c", "c", "the third", lambda _: Unavailable("the third", "this kernel has none")),
            Collector("d", "d", "the fourth", partly),
            Collector("e", "e", "the fifth", lambda _: None),
        ),
        host_context(tmp_path, {}),
        "blue",
    )
    assert found.values == {"d": 5, "e": None}
    assert found.gaps == [
        Unavailable("the first", "RuntimeError: boom", "blue"),
        Unavailable("the second", "/x: Permission denied", "blue"),
        Unavailable("the third", "this kernel has none", "blue"),
        Unavailable("half of it", "it is hidden", "blue"),
    ]
    assert [(one.name, one.success, one.netns) for one in found.runs] == [
        ("a", False, "blue"), ("b", False, "blue"), ("c", False, "blue"), ("d", True, "blue"), ("e", True, "blue"),
    ]  # fmt: skip
    assert all(one.duration_us > 0 for one in found.runs)


def test_reasons() -> None:
    assert reason(OSError("odd")) == "OSError: odd"
    assert reason(NotAvailableError("it is gone")) == "it is gone"


# --- helper threads ---------------------------------------------------------------------------------------------------


@pytest.fixture
def hanging() -> Iterator[threading.Event]:
    """What hangs, hangs on this; it is let go at the end."""
    event = threading.Event()
    yield event
    event.set()


def test_every_task_is_done_once_and_never_by_the_main_thread() -> None:
    main, seen = threading.get_ident(), set[int]()

    def begin() -> Callable[[int], int]:
        def work(task: int) -> int:
            seen.add(threading.get_ident())
            return task * 2

        return work

    results = dict(Pool(range(1000), begin, Limits(threads=4)).results())
    assert results == {task: task * 2 for task in range(1000)}
    assert main not in seen
    assert len(seen) <= 4


class Clock:
    """Stands still until somebody moves it: on a busy machine, too, nobody is late by chance."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_task_that_hangs_is_left_behind_and_the_rest_is_done(hanging: threading.Event) -> None:
    def work(task: int) -> int:
        if task == 3:
            hanging.wait()
        return task

    clock, results = Clock(), dict[int, int | NotDone]()
    for task, result in Pool(range(20), lambda: work, Limits(threads=2, each_s=0.05), clock).results():
        results[task] = result
        if len(results) == 19:
            clock.now = 1.0
    assert results.pop(3) == NotDone("no answer within 0.05 s")
    assert results == {task: task for task in range(20) if task != 3}


def test_a_host_on_which_everything_hangs_is_not_filled_with_threads(hanging: threading.Event) -> None:
    begun: list[int] = []

    def work(task: int) -> int:
        begun.append(task)
        hanging.wait()
        return task

    results = dict(Pool(range(100), lambda: work, Limits(threads=2, each_s=0.01, all_s=5)).results())
    assert len(results) == 100
    assert all(isinstance(result, NotDone) for result in results.values())
    assert len(begun) <= 2 + ABANDONED_MAX


def test_when_the_time_is_up_what_is_left_is_said(hanging: threading.Event) -> None:
    second = threading.Event()

    def work(task: int) -> int:
        if task:
            second.set()
            hanging.wait()
        return task

    clock, results = Clock(), dict[int, int | NotDone]()
    for task, result in Pool(range(5), lambda: work, Limits(threads=1, each_s=5, all_s=0.05), clock).results():
        results[task] = result
        if task == 0:
            assert second.wait(20)
            clock.now = 1.0
    assert results[0] == 0
    assert results[1] == NotDone("no answer when the 0.05 s for all were over")
    assert results[4] == NotDone("there was no time left within 0.05 s")


def test_what_a_task_raises_is_a_defect_and_not_swallowed() -> None:
    def work(task: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(Pool([1], lambda: work, Limits()).results())


def test_nothing_to_do() -> None:
    assert list(Pool([], lambda: Path, Limits()).results()) == []
