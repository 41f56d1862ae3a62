"""Wait for a condition of the kernel, with a deadline: the only place of the lab that lets time pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

#: Between two looks.
PAUSE_S = 0.005


class NeverHappenedError(Exception):
    """The condition did not come true in time."""


def until(condition: Callable[[], T], what: str, timeout_s: float = 20.0) -> T:
    """Look until ``condition`` gives something true, and give that.

    Raises:
        NeverHappenedError: not within ``timeout_s``; the message says ``what`` was waited for and what was seen last.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        seen = condition()
        if seen:
            return seen
        if time.monotonic() >= deadline:
            raise NeverHappenedError(f"waited {timeout_s:g} s for {what}, in vain (last seen: {seen!r})")
        time.sleep(PAUSE_S)


def steady(read: Callable[[], T], what: str, for_s: float, timeout_s: float = 30.0) -> T:
    """Look until ``read`` has given the same for ``for_s``: what it settles at.

    Raises:
        NeverHappenedError: it never settles.
    """
    deadline = time.monotonic() + timeout_s
    last, since = read(), time.monotonic()
    while time.monotonic() - since < for_s:
        if time.monotonic() >= deadline:
            raise NeverHappenedError(f"{what} did not settle within {timeout_s:g} s (last seen: {last!r})")
        time.sleep(PAUSE_S)
        now = read()
        if now != last:
            last, since = now, time.monotonic()
    return last


def stopwatch() -> Callable[[], float]:
    """Seconds since this call, each time it is asked."""
    begin = time.monotonic()
    return lambda: time.monotonic() - begin
