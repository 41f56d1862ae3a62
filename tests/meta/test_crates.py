"""Who may depend on whom among the crates, and which of them may be unsafe: docs/architecture.md."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from tests.conftest import ROOT

#: Crate → the crates of ours that it may depend on.
MAY_DEPEND_ON = {
    "wire": set[str](),
    "track": {"wire"},
    "table": {"wire", "track"},
    "trace": {"wire", "track", "table"},
    "kernel": {"wire"},
    "python": {"wire", "track", "table", "trace", "kernel"},
}
SAFE = ["wire", "track", "table", "trace"]
TABLES = ("dependencies", "dev-dependencies", "build-dependencies")


def dependencies(crate: str) -> set[str]:
    manifest = tomllib.loads((ROOT / "crates" / crate / "Cargo.toml").read_text(encoding="utf-8"))
    places: list[dict[str, Any]] = [manifest, *manifest.get("target", {}).values()]
    return {name for place in places for table in TABLES for name in place.get(table, {})}


def test_every_crate_is_listed_here() -> None:
    assert {path.parent.name for path in (ROOT / "crates").glob("*/Cargo.toml")} == set(MAY_DEPEND_ON)


@pytest.mark.parametrize("crate", MAY_DEPEND_ON)
def test_crates_depend_downwards(crate: str) -> None:
    ours = {name.removeprefix("halfopen-") for name in dependencies(crate) if name.startswith("halfopen-")}
    assert ours <= MAY_DEPEND_ON[crate]


def test_only_the_binding_crate_knows_python() -> None:
    knows = {crate for crate in MAY_DEPEND_ON if any(name.startswith("pyo3") for name in dependencies(crate))}
    assert knows == {"python"}


@pytest.mark.parametrize("crate", SAFE)
def test_hostile_input_is_read_by_safe_code(crate: str) -> None:
    assert "#![forbid(unsafe_code)]" in (ROOT / "crates" / crate / "src/lib.rs").read_text(encoding="utf-8")


@pytest.mark.parametrize("crate", MAY_DEPEND_ON)
def test_every_crate_obeys_the_shared_lints(crate: str) -> None:
    manifest = tomllib.loads((ROOT / "crates" / crate / "Cargo.toml").read_text(encoding="utf-8"))
    assert manifest["lints"] == {"workspace": True}
