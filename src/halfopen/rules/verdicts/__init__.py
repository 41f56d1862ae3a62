"""From connects, local causes and the target's listener to a verdict, its evidence, and what would falsify it."""

from __future__ import annotations

from halfopen.rules.verdicts.captured import by_capture
from halfopen.rules.verdicts.facts import Facts
from halfopen.rules.verdicts.judge import judge

__all__ = ["Facts", "by_capture", "judge"]
