"""Lines on a terminal that are drawn again in place.

Own code in place of rich's ``Live``, which erases every line before it writes the new one: on a terminal that paints
between the two that is seen as flicker. Here each line is overwritten, and only what is left of the old one erased.
"""

from __future__ import annotations

from shutil import get_terminal_size
from typing import IO

_ERASE_TO_LINE_END, _ERASE_BELOW, _CLEAR = "\x1b[K", "\x1b[J", "\x1b[2J\x1b[H"


class Redraw:
    """Draws on ``stream``, which is a terminal. The last picture stays; there is nothing to clean up."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._drawn = 0
        self._size = self.size

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines of the terminal now."""
        columns, lines = get_terminal_size((80, 24))
        return columns, lines

    def draw(self, lines: list[str]) -> None:
        """Put these in the place of the last ones; each must fit the width of the terminal."""
        start = f"\x1b[{self._drawn}A\r" if self._drawn else ""
        if self._size != self.size:
            # The old lines were folded anew, nobody knows how: start at the top.
            self._size, start = self.size, _CLEAR
        self._drawn = len(lines)
        body = "".join(f"{line}{_ERASE_TO_LINE_END}\n" for line in lines)
        # One write a picture, so that no half of one is shown.
        self._stream.write(start + body + _ERASE_BELOW)
        self._stream.flush()
