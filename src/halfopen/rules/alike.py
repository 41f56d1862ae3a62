"""One setting with one value in several namespaces: one finding that names them all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from halfopen.model.finding import Finding

URGENT = frozenset({"failing", "slow"})
"""Harms that a person follows up in one namespace."""
NAMED_MAX = 3
"""Namespaces that the subject names; of the others it tells the number, and the changes name each."""


def joined(findings: Iterable[Finding]) -> list[Finding]:
    """``findings``; those that differ in nothing but their namespace have become one, in the first one's place."""
    groups: dict[Finding, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(_anywhere(finding), []).append(finding)
    return [_one(group) for group in groups.values()]


def _anywhere(finding: Finding) -> Finding:
    """The finding without its namespace, where it is about a setting that hurts nobody yet; else itself."""
    remedy, subject = finding.remedy, finding.subject
    if subject.kind != "setting" or subject.netns is None or remedy is None or finding.harm in URGENT:
        return finding
    changes = tuple(replace(change, netns=None, command=None) for change in remedy.changes)
    return replace(finding, subject=replace(subject, netns=None), remedy=replace(remedy, changes=changes), confirm=None)


def _one(group: Sequence[Finding]) -> Finding:
    first = group[0]
    names = [finding.subject.netns for finding in group if finding.subject.netns is not None]
    if len(group) == 1 or first.remedy is None:
        return first
    changes = tuple(change for finding in group if finding.remedy for change in finding.remedy.changes)
    return replace(
        first,
        subject=replace(first.subject, name=f"{first.subject.name} in {_named(names)}", netns=None),
        remedy=replace(first.remedy, changes=changes),
    )


def _named(names: Sequence[str]) -> str:
    """``a and b``, ``a, b, c and 17 more namespaces``."""
    if len(names) > NAMED_MAX + 1:
        return f"{', '.join(names[:NAMED_MAX])} and {len(names) - NAMED_MAX} more namespaces"
    return f"{', '.join(names[:-1])} and {names[-1]}"
