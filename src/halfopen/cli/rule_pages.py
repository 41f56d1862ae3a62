"""The manual page of a rule or a check as text, for ``rules``, ``doctor -v`` and ``lint --explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from halfopen.model.page import page_of
from halfopen.render.manual import render_page

if TYPE_CHECKING:
    from halfopen.lint.check import Check
    from halfopen.render.layout import Paint
    from halfopen.rules.rule import Rule


def page_object(rule: Rule | Check) -> dict[str, Any]:
    """What the rule is, and its page by headings, for programs."""
    page = page_of(rule)
    facts = {"code": rule.code, "name": rule.name, "severity": rule.severity, "harm": rule.harm}
    return {**facts, "summary": page.summary, "page": page.sections}


def page_text(rule: Rule | Check, width: int, paint: Paint) -> str:
    """The page, below the rule's code, name and severity."""
    page = page_of(rule)
    return render_page(f"{rule.code} {rule.name} ({rule.severity})", page.summary, page.sections, width, paint)
