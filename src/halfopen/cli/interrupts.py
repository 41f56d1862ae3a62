"""Ctrl-C, `kill` and `kill -INT` as a polite request to end."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


#: SIGINT too: a shell without job control starts what stands before `&` with SIGINT ignored, and a script could not
#: end it otherwise.
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ended_politely() -> Iterator[None]:
    """Within, SIGINT and SIGTERM raise KeyboardInterrupt, so that what was found until then is told."""
    with _handled(signal.default_int_handler):
        yield


@contextmanager
def asked_to_end() -> Iterator[Callable[[], bool]]:
    """Gives a question: whether SIGINT or SIGTERM has come. A second one raises KeyboardInterrupt, as if in a hurry."""
    asked: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if asked:
            signal.default_int_handler(number, frame)
        asked.append(number)

    with _handled(note):
        yield lambda: bool(asked)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former)
