"""From connects, local causes and the target's listener to a verdict, its evidence, and what would falsify it."""

from __future__ import annotations

from halfopen.rules.verdicts.judge import Facts, judge

__all__ = ["Facts", "judge"]
