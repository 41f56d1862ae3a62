"""The manual page of a rule or a check as text, for ``rules``, ``doctor -v`` and ``lint --explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.page import page_of
from halfopen.render.manual import render_page

if TYPE_CHECKING:
    from halfopen.lint.check import Check
    from halfopen.render.layout import Paint
    from halfopen.rules.rule import Rule


def page_text(rule: Rule | Check, width: int, paint: Paint) -> str:
    """The page, below the rule's code, name and severity."""
    page = page_of(rule)
    return render_page(f"{rule.code} {rule.name} ({rule.severity})", page.summary, page.sections, width, paint)
