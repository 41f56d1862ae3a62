"""Look at a number of the kernel again and again while something else happens: the points of a figure."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Watching:
    """A context: ``points`` are (seconds since it began, what ``read`` gave), where that changed.

    Attributes:
        points: in order of time; the first and the last look are always there.
    """

    def __init__(self, read: Callable[[], float], pause_s: float = 0.002) -> None:
        self.points: list[tuple[float, float]] = []
        self._read = read
        self._pause_s = pause_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._begin = time.monotonic()
        self._look()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Look for the last time."""
        self._ended.set()
        self._thread.join()
        self._look(always=True)

    def _watch(self) -> None:
        while not self._ended.wait(self._pause_s):
            self._look()

    def _look(self, *, always: bool = False) -> None:
        value = self._read()
        if always or not self.points or self.points[-1][1] != value:
            # The step stands upright: the old value holds until now.
            now = time.monotonic() - self._begin
            if self.points:
                self.points.append((now, self.points[-1][1]))
            self.points.append((now, value))
