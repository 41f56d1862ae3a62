"""Every case file of ``tests/cases/rules``: what makes a rule fire, in which words, and what must leave it silent.

A file has tables ``fires`` and ``silent``, each with a ``name`` and a snapshot in the notation of ``notation.py``. A
case that fires may ask for: ``subject``, ``severity``, ``harm``, ``confidence``, ``says`` (words of the cause),
``evidence`` (what → value), ``remedy`` (words of it), ``changes`` (key → value), ``never`` (words that must not be in
the finding), ``count``, ``also`` (codes that the whole set of rules merges in).
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import ROOT
from tests.unit.rules.notation import snapshots

from halfopen.model.finding import HARMS, SEVERITIES
from halfopen.rules import diagnose, rule
from halfopen.rules.context import Context

if TYPE_CHECKING:
    from halfopen.model.finding import Finding

FILES = sorted((ROOT / "tests/cases/rules").glob("*.toml"))
ASKS = {
    "name", "now", "before", "interval_s", "subject", "severity", "harm", "confidence", "says", "evidence", "remedy",
    "changes", "never", "count", "also", "confirm",
}  # fmt: skip


def cases(kind: str) -> list[Any]:
    found = []
    for path in FILES:
        for case in tomllib.loads(path.read_text(encoding="utf-8")).get(kind, []):
            assert set(case) <= ASKS, f"{path.name}: {set(case) - ASKS}"
            found.append(pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}"))
    return found


def run(code: str, case: dict[str, Any]) -> list[Finding]:
    checked = rule(code)
    assert checked is not None
    return list(checked.check(Context.of(*snapshots(case))))


def words(finding: Finding) -> str:
    remedy = finding.remedy
    parts = [finding.cause, *(f"{item.what} {item.value}" for item in finding.evidence)]
    if remedy is not None:
        parts += [remedy.summary, *remedy.person, *(f"{change.key}={change.want}" for change in remedy.changes)]
    return "\n".join(parts)


@pytest.mark.parametrize(("code", "case"), cases("fires"))
def test_fires(code: str, case: dict[str, Any]) -> None:
    found = run(code, case)
    assert len(found) == case.get("count", 1), [(one.subject.name, one.cause) for one in found]
    first = found[0]
    assert (first.code, first.name) == (code, getattr(rule(code), "name", None))
    assert first.severity in SEVERITIES
    assert first.harm in HARMS
    assert first.confirm
    assert first.evidence
    _compare(first, case)


def _compare(first: Finding, case: dict[str, Any]) -> None:
    for field in ("severity", "harm", "confidence"):
        assert case.get(field, getattr(first, field)) == getattr(first, field)
    assert case.get("subject", first.subject.name) == first.subject.name
    assert case.get("confirm", first.confirm) == first.confirm
    assert case.get("says", "") in first.cause
    evidence = {item.what: item.value for item in first.evidence}
    assert case.get("evidence", {}).items() <= evidence.items(), evidence
    remedy = first.remedy
    advice = "" if remedy is None else "\n".join([remedy.summary, *remedy.person])
    assert case.get("remedy", "") in advice, advice
    changes = {} if remedy is None else {change.key: change.want for change in remedy.changes}
    assert case.get("changes", changes) == changes
    assert not [word for word in case.get("never", []) if word in words(first)]


@pytest.mark.parametrize(("code", "case"), [param for param in cases("fires") if "also" in param.values[1]])
def test_merges(code: str, case: dict[str, Any]) -> None:
    found = diagnose(*snapshots(case)).findings
    head = next(one for one in found if one.code == code)
    assert set(case["also"]) <= set(head.also)
    assert not [one for one in found if one.code in case["also"] and one.subject.name == head.subject.name]


@pytest.mark.parametrize(("code", "case"), cases("silent"))
def test_is_silent(code: str, case: dict[str, Any]) -> None:
    assert [(one.subject.name, one.cause) for one in run(code, case)] == []
