"""Findings with one cause become one finding, and the worst comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.model.finding import HARMS, SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from halfopen.model.finding import Finding
    from halfopen.rules.rule import Rule

_CONFIDENCES = ("certain", "likely", "possible")


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """By harm (failing now first), then severity, then how sure it is, then by code and subject."""
    return sorted(findings, key=_rank)


def _rank(finding: Finding) -> tuple[int, int, int, str, str]:
    return (
        HARMS.index(finding.harm),
        SEVERITIES.index(finding.severity),
        _CONFIDENCES.index(finding.confidence),
        finding.code,
        finding.subject.name,
    )


def merged(findings: Sequence[Finding], rules: Iterable[Rule]) -> list[Finding]:
    """``findings`` without those whose cause another names: it takes their evidence, and their codes as ``also``."""
    absorbs = {rule.code: frozenset(rule.absorbs) for rule in rules}
    kept: dict[int, Finding] = dict(enumerate(findings))
    # The worst absorbs first, so that a chain ends at its head.
    for index in sorted(kept, key=lambda i: _rank(findings[i])):
        if index not in kept:
            continue
        for other in [i for i in kept if i != index and kept[i].code in absorbs.get(findings[index].code, ())]:
            if _is_not_worse(kept[index], kept[other]) and _touch(findings[index], findings[other]):
                kept[index] = _absorb(kept[index], kept.pop(other))
    return list(kept.values())


def _is_not_worse(head: Finding, other: Finding) -> bool:
    """A mild finding must not swallow a severe one."""
    return SEVERITIES.index(head.severity) <= SEVERITIES.index(other.severity)


def _touch(one: Finding, other: Finding) -> bool:
    """Whether two subjects are the same thing, or one contains the other."""
    a, b = one.subject, other.subject
    if a.netns != b.netns:
        return False
    if "namespace" in {a.kind, b.kind} or b.kind == "setting":
        return True
    return (a.kind, a.address, a.port, a.key, a.pid) == (b.kind, b.address, b.port, b.key, b.pid)


def _absorb(head: Finding, other: Finding) -> Finding:
    known = {item.what for item in head.evidence} | {(item.value, item.source) for item in head.evidence}
    evidence = head.evidence + tuple(
        item for item in other.evidence if item.what not in known and (item.value, item.source) not in known
    )
    also = tuple(dict.fromkeys((*head.also, other.code, *other.also)))
    return replace(head, evidence=evidence, also=also)
