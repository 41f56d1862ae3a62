"""``docs/rules/``: the manual page of every rule, and their list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.page import page_of
from halfopen.rules.registry import FAMILIES, RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.rules.rule import Rule


INTRODUCTION = (
    "What `halfopen doctor` can find. `halfopen rules CODE` prints the same pages. "
    "The severity is that of a finding unless the facts say otherwise."
)


def pages() -> Iterator[tuple[str, str]]:
    """The list, then each page."""
    yield "docs/rules/README.md", _index()
    for rule in RULES:
        yield f"docs/rules/{rule.code}.md", _page(rule)


def _index() -> str:
    lines = ["# Rules", "", INTRODUCTION]
    for prefix, about in FAMILIES.items():
        rows = [rule for rule in RULES if rule.code.startswith(prefix)]
        if rows:
            lines += [
                "",
                f"## {prefix}xx: {about}",
                "",
                "| code | name | severity | finds |",
                "| --- | --- | --- | --- |",
            ]
            lines += [
                f"| [{rule.code}]({rule.code}.md) | `{rule.name}` | {rule.severity} | {page_of(rule).summary} |"
                for rule in rows
            ]
    return "\n".join(lines)


def _page(rule: Rule) -> str:
    page = page_of(rule)
    parts = [f"# {rule.code} {rule.name}", page.summary, _facts(rule)]
    parts += [f"## {heading}\n\n{text}" for heading, text in page.sections.items()]
    return "\n\n".join(parts)


def _facts(rule: Rule) -> str:
    parts = [f"Severity: {rule.severity}."]
    if rule.needs:
        parts.append(f"Needs of the snapshot: {', '.join(need.replace('_', ' ') for need in rule.needs)}.")
    if rule.absorbs:
        parts.append(f"Merges in, on the same subject: {', '.join(f'[{code}]({code}.md)' for code in rule.absorbs)}.")
    if rule.proof:
        parts.append(f"Shown by [`halfopen lab run {rule.proof}`](../lab/{rule.proof}.md).")
    return "\n".join(f"- {part}" for part in parts)
