"""The network of probe's tests serves here too."""

from __future__ import annotations

from tests.probe.conftest import net

__all__ = ["net"]
