"""``halfopen probe --watch``: the live plot, redrawn in place after each connect, left on the screen at the end."""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import TYPE_CHECKING

from halfopen.cli.redraw import Redraw
from halfopen.render.escape import escape_text
from halfopen.render.layout import Paint
from halfopen.render.probe import ProbeLines
from halfopen.render.probe_plot import Sample, heights, plot, title

if TYPE_CHECKING:
    from collections.abc import Callable

    from halfopen.cli.printer import Printer
    from halfopen.handshakes.probes.board import Board
    from halfopen.model.probe import ProbeResult
    from halfopen.render.probe_json import Causes

#: Connects that are kept for drawing: more columns than a terminal has.
_SAMPLES = 1000
#: Between two pictures, seconds: faster is not seen, and costs the time of the connects.
_INTERVAL_S = 0.05

Place = tuple[str, str]


class Watch:
    """One form of the output (``cli.probe_output.Output``), for a terminal."""

    def __init__(self, printer: Printer, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._next = clock, 0.0
        self._paint = Paint(printer.color)
        self._screen = Redraw(sys.stdout)
        self._samples: dict[Place, deque[Sample]] = {}
        self._board: Board | None = None

    def begin(self, board: Board) -> None:
        """Names that stand for nothing are said once, above the plot."""
        self._board = board
        for report in board.reports():
            if report.error is not None:
                sys.stdout.write(escape_text(f"{report.target}: {report.error}") + "\n")

    def result(self, result: ProbeResult) -> None:
        """Draw one more, unless it was cut short."""
        if result.interrupted:
            return
        place = (str(result.target), result.handshake.server)
        if result.fast_open is None:
            self._samples.setdefault(place, deque(maxlen=_SAMPLES)).append(Sample.of(result))
        if self._clock() >= self._next:
            self._draw()

    def _draw(self) -> None:
        self._screen.draw(self._lines())
        self._next = self._clock() + _INTERVAL_S

    def end(self, board: Board, causes: Causes | None) -> None:  # noqa: ARG002  (a form like the others)
        """The last picture stays where it is; what may be behind it comes below."""
        self._draw()
        if causes is not None:
            lines = ProbeLines(1, width=self._screen.size[0], color=self._paint.on).causes(causes)
            sys.stdout.write("".join(f"{line}\n" for line in lines))

    def _lines(self) -> list[str]:
        assert self._board is not None
        columns, rows = self._screen.size
        numbers = {
            (str(report.target), address): (summary, title(str(report.target), address, report.target.port))
            for report in self._board.reports()
            for address, summary in report.summaries.items()
        }
        lines: list[str] = []
        for height, (place, (summary, name)) in zip(heights(len(numbers), rows - 1), numbers.items(), strict=True):
            lines += plot(name, list(self._samples.get(place, ())), summary, (columns, height), self._paint)
        return lines[: rows - 1]
