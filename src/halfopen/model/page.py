"""The manual page of a rule or a check, which is its docstring: the fixed headings, and the text under each."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Protocol

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


class Documented(Protocol):
    """A rule of the doctor, or a check of the linter."""

    @property
    def code(self) -> str:
        """``HO101``."""
        ...


def page_of(documented: Documented) -> Page:
    """The page of a rule or check.

    Raises:
        ValueError: a heading is missing, doubled, unknown or out of order.
    """
    summary, *parts = inspect.cleandoc(type(documented).__doc__ or "").split(f"\n{_MARK}")
    sections = {heading.strip(): text.strip() for heading, _, text in (part.partition("\n") for part in parts)}
    if tuple(sections) != HEADINGS or len(parts) != len(HEADINGS) or not all(sections.values()):
        raise ValueError(f"{documented.code}: the page has {list(sections)}")
    return Page(summary.strip(), sections)
