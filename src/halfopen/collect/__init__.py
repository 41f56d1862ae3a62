"""The host as plain data: ``take()`` gives a ``Snapshot``; ``load()`` reads one from a file.

One small collector a file, in ``host`` and ``netns``; the framework around them is ``framework.py``.

**Architecture Invariant:** reads, and never changes the host. Only helper threads enter a network namespace; nothing
is asked of a container runtime; the only programs that are run are those that print packet filter rules (ADR 21).
"""

from __future__ import annotations

from halfopen.collect.document import load
from halfopen.collect.roots import Roots
from halfopen.collect.taking import take
from halfopen.collect.workers import Limits

__all__ = ["Limits", "Roots", "load", "take"]
