"""A rule's manual page as text, for ``rules`` and for ``doctor -v``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.render.manual import render_page
from halfopen.rules.page import page_of

if TYPE_CHECKING:
    from halfopen.render.layout import Paint
    from halfopen.rules.rule import Rule


def page_text(rule: Rule, width: int, paint: Paint) -> str:
    """The page, below the rule's code, name and severity."""
    page = page_of(rule)
    return render_page(f"{rule.code} {rule.name} ({rule.severity})", page.summary, page.sections, width, paint)
