"""Each rule has a page, cases, a name of its own and, in the end, an experiment."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest
from tests.conftest import ROOT

import halfopen.rules
from halfopen.knowledge.codes import SHARED_CODES
from halfopen.knowledge.sysctls import find
from halfopen.lab.experiments import EXPERIMENTS, load
from halfopen.model.finding import HARMS, SEVERITIES
from halfopen.model.page import page_of
from halfopen.rules.registry import FAMILIES, RULES, rule
from halfopen.rules.rule import NEEDS, Rule

CASES = ROOT / "tests/cases/rules"
CODES = [item.code for item in RULES]
#: Rules that no experiment of the lab proves, and why none can.
UNPROVEN = {
    "HO703": "tcp_max_orphans is one for the whole host: to come near it would reset connections of other programs",
    "HO704": "tcp_mem is one for the whole host: to come near it would take other programs' memory",
    "HO901": "it tells what halfopen could not see, and nothing of the kernel",
    "HO902": "it tells that two snapshots do not belong together, and nothing of the kernel",
}


def test_every_rule_file_is_registered() -> None:
    files = {path.stem[:5].upper() for path in Path(halfopen.rules.__file__).parent.glob("ho[0-9]*.py")}
    assert files == set(CODES)
    assert sorted(CODES) == CODES


def test_codes_and_names_are_unique() -> None:
    assert len(set(CODES)) == len(CODES)
    assert len({item.name for item in RULES}) == len(RULES)


@pytest.mark.parametrize("item", RULES, ids=CODES)
def test_a_rule_is_well_formed(item: Rule) -> None:
    assert re.fullmatch(r"HO\d{3}", item.code)
    assert item.code[:3] in FAMILIES
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", item.name)
    assert item.severity in SEVERITIES
    assert item.harm in HARMS
    assert set(item.needs) <= set(NEEDS)
    assert set(item.absorbs) <= set(CODES) - {item.code}


@pytest.mark.parametrize("item", RULES, ids=CODES)
def test_a_rule_has_a_page(item: Rule) -> None:
    page = page_of(item)
    assert page.summary.endswith(".")
    assert "\n" not in page.summary
    # Facts are numbered in a list that users do not have: a page names the sources themselves.
    assert not re.search(r"\bF\d+\b", "\n".join(page.sections.values()))


@pytest.mark.parametrize("item", RULES, ids=CODES)
def test_a_rule_has_cases(item: Rule) -> None:
    cases = tomllib.loads((CASES / f"{item.code}.toml").read_text(encoding="utf-8"))
    assert set(cases) == {"fires", "silent"}
    for kind in cases.values():
        names = [case["name"] for case in kind]
        assert len(set(names)) == len(names)


def test_every_case_file_has_a_rule() -> None:
    assert {path.stem for path in CASES.glob("*")} == set(CODES)


@pytest.mark.parametrize("item", RULES, ids=CODES)
def test_a_proof_is_an_experiment_that_says_so(item: Rule) -> None:
    assert item.proof is None or item.code in load(item.proof).proves


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_proves_rules_that_know_it(name: str) -> None:
    for code in load(name).proves:
        proved = rule(code)
        assert proved is not None
        assert proved.proof is not None


def test_every_setting_that_a_rule_looks_at_is_in_the_table() -> None:
    """Of one network namespace of very many, the settings in the table are the only ones that a snapshot has."""
    named: set[str] = set()
    for path in Path(halfopen.rules.__file__).parent.rglob("*.py"):
        for module in (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))):
            if isinstance(module, ast.Constant) and isinstance(module.value, str):
                named |= set(re.findall(r"^net\.(?:core|ipv[46]|netfilter)\.[a-z0-9_.]*[a-z0-9]$", module.value))
    assert len(named) > 15
    assert {key for key in named if find(key) is None} == set()


def test_every_rule_has_its_experiment() -> None:
    assert {item.code for item in RULES if item.proof is None} == set(UNPROVEN)


@pytest.mark.parametrize("item", RULES, ids=CODES)
def test_every_code_that_a_page_names_exists(item: Rule) -> None:
    assert set(re.findall(r"HO\d{3}", type(item).__doc__ or "")) <= set(CODES)


@pytest.mark.parametrize("item", [item for item in RULES if item.code in SHARED_CODES], ids=lambda item: str(item.code))
def test_a_code_that_the_linter_shares_has_one_name(item: Rule) -> None:
    assert item.name == SHARED_CODES[item.code]
