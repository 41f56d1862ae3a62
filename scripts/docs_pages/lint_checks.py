"""``docs/lint-checks.md``: the manual page of every check of the linter, and their list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.registry import CHECKS
from halfopen.model.page import page_of

if TYPE_CHECKING:
    from halfopen.lint.check import Check

PATH = "docs/lint-checks.md"

INTRODUCTION = """# Checks of halfopen lint

What [`halfopen lint`](lint.md) can find. `halfopen lint --explain CODE` prints the same pages. The severity is that of
a finding unless the page says otherwise. Codes below HO8xx are those of the doctor where it knows the same matter
([rules](rules/README.md)); HO8xx is what only a file shows.

| code | name | severity | finds |
| --- | --- | --- | --- |"""


def page() -> str:
    """The page."""
    return "\n".join([INTRODUCTION, *map(_row, CHECKS), *map(_section, CHECKS)])


def _row(check: Check) -> str:
    link = f"[{check.code}](#{check.code.lower()}-{check.name})"
    return f"| {link} | `{check.name}` | {check.severity} | {page_of(check).summary} |"


def _section(check: Check) -> str:
    page_ = page_of(check)
    parts = [f"\n## {check.code} {check.name}", page_.summary]
    parts += [f"**{heading}.** {text}" for heading, text in page_.sections.items()]
    if check.proof is not None:
        parts.append(f"Shown by [`halfopen lab run {check.proof}`](lab/{check.proof}.md).")
    return "\n\n".join(parts)
