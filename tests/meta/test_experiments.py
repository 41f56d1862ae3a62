"""The lab's list of experiments, its directory and what each says of itself agree."""

from __future__ import annotations

import re

import pytest
from tests.conftest import ROOT

from halfopen.lab.experiments import EXPERIMENTS, load


def test_every_file_is_listed() -> None:
    files = {path.stem for path in (ROOT / "src/halfopen/lab/experiments").glob("*.py")} - {"__init__"}
    assert {name.replace("-", "_") for name in EXPERIMENTS} == files
    assert len(set(EXPERIMENTS)) == len(EXPERIMENTS)


def test_every_experiment_has_its_page() -> None:
    pages = {path.stem for path in (ROOT / "docs/lab").glob("*.md")} - {"README"}
    assert pages == set(EXPERIMENTS), "make docs-lab writes them"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_page_has_a_figure(name: str) -> None:
    page = (ROOT / f"docs/lab/{name}.md").read_text(encoding="utf-8")
    figures = re.findall(r"^!\[.+\]\((.+\.svg)\)$", page, re.MULTILINE)
    assert figures, "make docs-lab draws it"
    assert all((ROOT / "docs/lab" / figure).is_file() for figure in figures)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_page_is_of_a_run_that_passed(name: str) -> None:
    page = (ROOT / f"docs/lab/{name}.md").read_text(encoding="utf-8")
    verdicts = re.findall(r"^(Passed|Failed|Skipped)\b.*", page, re.MULTILINE)
    assert verdicts == ["Passed"], "a page that says otherwise is no proof: make docs-lab on a quiet machine"


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_says_what_it_claims(name: str) -> None:
    experiment = load(name)
    assert experiment.name == name
    assert experiment.claim.endswith(".")
    assert not experiment.title.endswith(".")
