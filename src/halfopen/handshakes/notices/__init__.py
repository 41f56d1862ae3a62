"""Numbers to plain sentences, ranked: what a tired person reads first.

One file a subject; each has a function ``check(summary)`` that yields notices and is silent without evidence. A
sentence states what the packets show. What it may mean is the hint, worded as a possibility, because a capture rarely
proves a cause. Thresholds are named constants with their reason beside them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices import (
    capture,
    closing,
    connects,
    flood,
    options,
    scan,
    silence,
    unfinished,
    waiting,
)
from halfopen.handshakes.notices.notice import SEVERITIES, Notice

if TYPE_CHECKING:
    from halfopen.model.summary import Summary

__all__ = ["Notice", "notices"]

SUBJECTS = (flood, scan, silence, connects, waiting, unfinished, options, capture, closing)
"""In this order where two notices weigh the same."""


def notices(summary: Summary) -> list[Notice]:
    """Every notice that ``summary`` gives rise to: troubles first, then caveats and facts, the heaviest first."""
    found = [notice for subject in SUBJECTS for notice in subject.check(summary)]
    return sorted(found, key=lambda notice: (SEVERITIES.index(notice.severity), -notice.weight))
