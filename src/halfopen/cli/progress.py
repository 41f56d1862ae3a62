"""One line on standard error that says how far a long read has come.

Redrawn in place at most ten times a second, and erased at the end, so that it leaves no trace in the scrollback.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

#: Seconds between two drawings: faster is not seen, and slower looks stuck.
INTERVAL_S = 0.1
#: Nothing is drawn before this: work that is soon done needs no bar.
DELAY_S = 0.5
BAR_CELLS = 30
ERASE_LINE = "\r\x1b[2K"


class Progress:
    """Draws on ``stream``, or nowhere when it is None. Used as a context manager, so that the line is always erased."""

    def __init__(self, what: str, stream: IO[str] | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._stream = stream
        self._clock = clock
        self._start = clock()
        self._next = self._start + DELAY_S
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            self._write(ERASE_LINE)

    def update(self, done: int, total: int | None) -> None:
        """``done`` of ``total`` bytes are read; ``total`` is None where it cannot be known (a pipe)."""
        if self._due():
            self._write(ERASE_LINE + self._line(done, total, self._clock() - self._start))

    def show(self, words: str) -> None:
        """``words`` after what is being done, where it is not bytes that are counted."""
        if self._due():
            self._write(f"{ERASE_LINE}{self._what}  {words}")

    def _due(self) -> bool:
        now = self._clock()
        if self._stream is None or now < self._next:
            return False
        self._next = now + INTERVAL_S
        self._drawn = True
        return True

    def wait(self, elapsed_s: float, total_s: float) -> None:
        """``elapsed_s`` of a wait of ``total_s`` are over."""
        now = self._clock()
        if self._stream is None or now < self._next:
            return
        self._next, self._drawn = now + INTERVAL_S, True
        cells = int(min(elapsed_s / total_s, 1.0) * BAR_CELLS)
        left = f"{max(0.0, total_s - elapsed_s):.0f} s left"
        self._write(f"{ERASE_LINE}{self._what} [{'#' * cells}{'.' * (BAR_CELLS - cells)}] {left}")

    def _line(self, done: int, total: int | None, elapsed: float) -> str:
        read = f"{done / 1e6:,.0f} MB".replace(",", " ")
        rate = f"{done / 1e6 / elapsed:,.0f} MB/s".replace(",", " ")
        if not total:
            return f"{self._what}  {read}  {rate}"
        part = min(done / total, 1.0)
        cells = int(part * BAR_CELLS)
        left = (total - done) * elapsed / done if done else 0.0
        return f"{self._what} [{'#' * cells}{'.' * (BAR_CELLS - cells)}] {part:4.0%}  {read}  {rate}  {left:.0f} s left"

    def _write(self, text: str) -> None:
        if self._stream is not None:
            with suppress(OSError, ValueError):
                self._stream.write(text)
                self._stream.flush()
