"""Visitors: all of them come, however busy the machine is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from halfopen import _core
from halfopen.lab.traffic import Target
from halfopen.lab.visitors import visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from halfopen.lab.namespace import Namespace


class Here:
    """A host that is where we are."""

    def run(self, work: Callable[..., object], *args: object) -> object:
        """Do it."""
        return work(*args)


def test_visitors_who_were_kept_from_coming_in_time_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, float]] = []

    def load(_target: str, *, connections: int, rate: int, duration_s: float, **_: object) -> dict[str, Any]:
        """The first time, half of them are not begun before the end, and one is not served."""
        asked.append((connections, duration_s * rate))
        unstarted = 20 if len(asked) == 1 else 0
        begun = connections - unstarted
        times = {"buckets": [(1000.0 * len(asked), begun)]}
        return {"completed": begun - (len(asked) == 1), "connect": times, "response": times, "unstarted": unstarted}

    monkeypatch.setattr(_core, "load", load)
    visitors = visit(cast("Namespace", Here()), Target("192.0.2.2"), 50, 20)
    # The length of a load is that of its schedule, whichever way a fraction of a second is rounded.
    assert [count for count, _ in asked] == [50, 20]
    assert [planned for _, planned in asked] == pytest.approx([49.5, 19.5])
    assert visitors.served == 49
    assert visitors.connected_s == (0.001,) * 30 + (0.002,) * 20
    assert visitors.median_ms == pytest.approx(1.0)
