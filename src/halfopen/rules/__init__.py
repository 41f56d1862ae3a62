"""Facts to findings: one rule a file, and the engine that runs, merges and ranks them.

``RULES`` is the only list. A rule's docstring is its manual page (``halfopen rules CODE``, ``docs/rules/``), its cases
are ``tests/cases/rules/<code>.toml``.

**Architecture Invariant:** pure. A snapshot, or two, go in; findings come out.
"""

from __future__ import annotations

from halfopen.rules.diagnose import diagnose
from halfopen.rules.registry import RULES, rule
from halfopen.rules.rule import Rule

__all__ = ["RULES", "Rule", "diagnose", "rule"]
