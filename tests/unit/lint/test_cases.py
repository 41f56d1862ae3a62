"""Every case file of ``tests/cases/lint``: what makes a check fire, where, in which words; what leaves it silent.

A file has tables ``fires`` and ``silent``, each with a ``name``, ``files`` (name → text) and perhaps a ``kernel``. One
that fires says ``at`` (file:line:column of each finding, in order), ``says`` (words of the cause; ``ends`` where they
are its last), and perhaps ``severity``, ``harm``, ``about`` (the subject) and ``instead`` (words of what to write).
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import ROOT

from halfopen.knowledge.kernel_version import MEASURED, KernelVersion
from halfopen.lint.kernel import Kernel
from halfopen.lint.reading import read
from halfopen.lint.registry import CHECKS, find
from halfopen.lint.run import lint

if TYPE_CHECKING:
    from pathlib import Path

    from halfopen.model.finding import Finding

FILES = sorted((ROOT / "tests/cases/lint").glob("*.toml"))
ASKS = {"name", "files", "kernel", "at", "says", "ends", "severity", "harm", "about", "instead"}


def cases(kind: str) -> list[Any]:
    found = []
    for path in FILES:
        for case in tomllib.loads(path.read_text(encoding="utf-8")).get(kind, []):
            assert set(case) <= ASKS, f"{path.name}: {set(case) - ASKS}"
            found.append(pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}"))
    return found


def run(code: str, case: dict[str, Any]) -> list[Finding]:
    documents = [read(name, text.encode()) for name, text in case["files"].items()]
    version = KernelVersion.parse(case["kernel"]) if "kernel" in case else MEASURED
    others = [check.code for check in CHECKS if check.code != code]
    return list(lint(documents, Kernel(version), others).findings)


@pytest.mark.parametrize(("code", "case"), cases("fires"))
def test_fires(code: str, case: dict[str, Any]) -> None:
    found = run(code, case)
    assert [f"{one.file}:{one.line}:{one.column}" for one in found] == case["at"], found
    check = find(code)
    assert check is not None
    for one in found:
        assert (one.code, one.name) == (code, check.name)
        assert case["says"] in one.cause
        assert one.cause.endswith(case["says"]) or not case.get("ends")
        assert one.severity == case.get("severity", one.severity)
        assert one.harm == case.get("harm", check.harm)
        assert one.subject.name == case.get("about", one.subject.name)
        if "instead" in case:
            assert one.remedy is not None
            assert case["instead"] in one.remedy.summary


@pytest.mark.parametrize(("code", "case"), cases("silent"))
def test_is_silent(code: str, case: dict[str, Any]) -> None:
    assert [(f"{one.file}:{one.line}", one.cause) for one in run(code, case)] == []


WHOLE = ROOT / "tests/cases/lint/whole"
EXPECTED = tomllib.loads((WHOLE / "expected.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(path.name for path in WHOLE.iterdir() if path.name != "expected.toml"))
def test_whole_files_as_people_have_them(name: str) -> None:
    found = lint([read(name, (WHOLE / name).read_bytes())], Kernel()).findings
    assert [f"{one.line} {one.code}" for one in found] == EXPECTED[name]


def test_every_expectation_has_its_file() -> None:
    assert {path.name for path in WHOLE.iterdir()} == {*EXPECTED, "expected.toml"}


@pytest.mark.parametrize("path", sorted((ROOT / "tests/cases/lint/sane").iterdir()), ids=lambda path: path.name)
@pytest.mark.parametrize("kernel", ["5.10", "6.1", "6.18"])
def test_sane_files_have_no_finding(path: Path, kernel: str) -> None:
    found = lint([read(path.name, path.read_bytes())], Kernel(KernelVersion.parse(kernel))).findings
    assert [(one.code, one.line, one.cause) for one in found] == []


def test_sane_files_together_have_no_finding() -> None:
    """But for what only a raised somaxconn beside the programs' own backlogs shows."""
    documents = [read(path.name, path.read_bytes()) for path in sorted((ROOT / "tests/cases/lint/sane").iterdir())]
    found = lint(documents, Kernel()).findings
    assert {one.code for one in found} == {"HO812"}
    assert {one.severity for one in found} == {"notice"}
