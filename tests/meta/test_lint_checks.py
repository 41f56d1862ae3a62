"""Each check of the linter has a page, cases and a name of its own; what it shares with the doctor, it shares whole."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.conftest import ROOT

import halfopen.lint.checks
from halfopen.knowledge.codes import SHARED_CODES
from halfopen.lab.experiments import EXPERIMENTS
from halfopen.lint.registry import CHECKS, find
from halfopen.model.finding import HARMS, SEVERITIES
from halfopen.model.page import page_of
from halfopen.rules.registry import RULES

if TYPE_CHECKING:
    from halfopen.lint.check import Check

CASES = ROOT / "tests/cases/lint"
CODES = [item.code for item in CHECKS]


def test_every_check_file_is_registered() -> None:
    files = sorted(path.stem[:5].upper() for path in Path(halfopen.lint.checks.__file__).parent.glob("ho*.py"))
    assert files == CODES


def test_codes_and_names_are_unique() -> None:
    assert sorted(set(CODES)) == CODES
    assert len({item.name for item in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("item", CHECKS, ids=CODES)
def test_a_check_is_well_formed(item: Check) -> None:
    assert re.fullmatch(r"HO[1-8]\d\d", item.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", item.name)
    assert item.severity in SEVERITIES
    assert item.harm in HARMS
    assert find(item.code.lower()) is item
    assert find(item.name) is item


@pytest.mark.parametrize("item", CHECKS, ids=CODES)
def test_a_check_has_a_page(item: Check) -> None:
    page = page_of(item)
    assert page.summary.endswith(".")
    assert "\n" not in page.summary
    # Facts are numbered in a list that users do not have: a page names the sources themselves.
    assert not re.search(r"\bF\d+\b", "\n".join(page.sections.values()))


@pytest.mark.parametrize("item", CHECKS, ids=CODES)
def test_a_check_has_cases(item: Check) -> None:
    cases = tomllib.loads((CASES / f"{item.code}.toml").read_text(encoding="utf-8"))
    assert set(cases) == {"fires", "silent"}
    for kind in cases.values():
        names = [case["name"] for case in kind]
        assert len(set(names)) == len(names)


def test_every_case_file_has_a_check() -> None:
    assert {path.stem for path in CASES.glob("*.toml")} == set(CODES)


def test_codes_that_the_doctor_knows_mean_the_same_there() -> None:
    """A code below HO8xx stands in the shared table, and a rule that has it has its name."""
    for check in CHECKS:
        if not check.code.startswith("HO8"):
            assert SHARED_CODES.get(check.code) == check.name
    names = {rule.code: rule.name for rule in RULES}
    assert {code: names.get(code, name) for code, name in SHARED_CODES.items()} == SHARED_CODES
    assert not [code for code in names if code.startswith("HO8")]


#: Checks that no experiment of the lab shows, and why.
UNPROVEN = {
    "HO803": "it is about files on a disk",
    "HO821": "it is about the exporter's labels",
    "HO822": "it is about the exporter's options",
    "HO823": "it is about expressions of alerts",
}


def test_every_check_that_speaks_of_the_kernel_has_its_experiment() -> None:
    assert {item.code for item in CHECKS if item.proof is None} == set(UNPROVEN)


@pytest.mark.parametrize("item", CHECKS, ids=CODES)
def test_a_check_names_the_experiment_that_shows_it(item: Check) -> None:
    """The doctor's, where it has a rule of that code; and one that exists."""
    rules = {rule.code: rule.proof for rule in RULES}
    assert item.proof == rules.get(item.code, item.proof)
    assert item.proof is None or item.proof in EXPERIMENTS


@pytest.mark.parametrize("item", CHECKS, ids=CODES)
def test_every_code_that_a_page_names_exists(item: Check) -> None:
    assert set(re.findall(r"HO\d{3}", type(item).__doc__ or "")) <= set(CODES)
