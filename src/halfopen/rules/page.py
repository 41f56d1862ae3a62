"""A rule's docstring as its manual page: the fixed headings, and the text under each."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.rules.rule import Rule

HEADINGS = (
    "What it finds",
    "Why it matters",
    "Evidence",
    "Confirm by hand",
    "Remedy",
    "When it is wrong",
    "References",
)
"""Every page has each of them, in this order."""

_MARK = "## "


@dataclass(frozen=True, slots=True)
class Page:
    """The parts of a manual page; the texts are Markdown, with a blank line between paragraphs."""

    summary: str
    sections: dict[str, str]


def page_of(rule: Rule) -> Page:
    """The page of ``rule``.

    Raises:
        ValueError: a heading is missing, doubled, unknown or out of order.
    """
    summary, *parts = inspect.cleandoc(type(rule).__doc__ or "").split(f"\n{_MARK}")
    sections = {heading.strip(): text.strip() for heading, _, text in (part.partition("\n") for part in parts)}
    if tuple(sections) != HEADINGS or len(parts) != len(HEADINGS) or not all(sections.values()):
        raise ValueError(f"{rule.code}: the page has {list(sections)}")
    return Page(summary.strip(), sections)
