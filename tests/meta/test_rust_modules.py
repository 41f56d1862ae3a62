"""The modules of a crate know each other in one direction: no circles.

Module paths are read from the sources: ``use crate::…`` and ``super::…``, and paths in the code itself. A parent may
name its children and a child its parent (that is what a module tree is); tests at the end of a file may name anything.
"""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import pytest
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

CRATES = ["wire", "track", "table", "trace"]
Module = tuple[str, ...]


def sources(crate: str) -> dict[Module, str]:
    """The code of each module, without its comments and the tests at its end."""
    root = ROOT / "crates" / crate / "src"
    found = {}
    for path in root.rglob("*.rs"):
        module = path.relative_to(root).with_suffix("").parts
        text = path.read_text(encoding="utf-8").partition("\n#[cfg(test)]\nmod ")[0]
        found[module[:-1] if module[-1] == "mod" else module] = re.sub(r"//.*", "", text)
    found.pop(("lib",))
    return found


def flat(path: str) -> Iterator[str]:
    """``a::{b, c::{d, e}}`` as ``a::b``, ``a::c::d``, ``a::c::e``."""
    before, brace, inner = path.partition("{")
    if not brace:
        yield path
        return
    for part in re.findall(r"[^,{}]+(?:\{(?:[^{}]|\{[^{}]*\})*\})?", inner.removesuffix("}")):
        yield from (before + one for one in flat(part))


def paths(text: str) -> Iterator[str]:
    """Every path from the crate or from a parent that the code names."""
    statement = r"\buse\s+((?:crate|super)::[^;]*);"
    for used in re.findall(statement, text):
        yield from flat(re.sub(r"\s+|\bas\s+\w+", "", used))
    yield from re.findall(r"\b(?:crate|super)(?:::\w+)+", re.sub(statement, "", text))


def known(module: Module, text: str, modules: set[Module]) -> set[Module]:
    """The modules that ``module`` names, its own parents apart."""
    found = set()
    for path in paths(text):
        first, *rest = path.split("::")
        base = () if first == "crate" else module[:-1]
        while rest and rest[0] == "super":
            base, rest = base[:-1], rest[1:]
        whole = (*base, *rest)
        nearest = next((whole[:n] for n in range(len(whole), 0, -1) if whole[:n] in modules), ())
        if nearest != module[: len(nearest)]:
            found.add(nearest)
    return found


def graph(crate: str) -> dict[Module, set[Module]]:
    code = sources(crate)
    return {module: known(module, text, set(code)) for module, text in code.items()}


@pytest.mark.parametrize("crate", CRATES)
def test_no_two_modules_need_each_other(crate: str) -> None:
    try:
        TopologicalSorter(graph(crate)).prepare()
    except CycleError as error:
        circle = " → ".join("::".join(module) for module in error.args[1])
        pytest.fail(f"{crate}: {circle}")


def test_what_a_module_names_is_found() -> None:
    modules: set[Module] = {("a",), ("b",), ("b", "c"), ("b", "d")}
    text = "use crate::{a, b::d::{X, Y}};\nfn f() { super::c::g() }"
    assert known(("b", "d"), text, modules) == {("a",), ("b", "c")}
    assert known(("a",), "use crate::b::{c::Z, d};", modules) == {("b", "c"), ("b", "d")}
    assert known(("b", "c"), "use super::super::a::T; use super::N;", modules) == {("a",)}


def test_the_graph_is_not_empty() -> None:
    edges = graph("track")
    assert ("store",) in edges["books",]
    assert ("flow",) in edges["store",]
