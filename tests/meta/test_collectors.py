"""The tuples of collectors, the directories and the records say the same."""

from __future__ import annotations

from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import halfopen.collect
from halfopen.collect.host import HOST
from halfopen.collect.netns import NETNS
from halfopen.collect.taking import names
from halfopen.model.snapshot import NetNamespace, Snapshot

if TYPE_CHECKING:
    from halfopen.collect.framework import Collector

DIRECTORY = Path(halfopen.collect.__file__).parent
FIELDS = {
    "host": {field.name for field in fields(Snapshot)},
    "netns": {field.name for field in fields(NetNamespace)},
}
#: Filled by the taking itself.
NOT_COLLECTED = {
    "host": {"taken_at_ns", "monotonic_ns", "schema", "halfopen", "netns", "unavailable", "collectors"},
    "netns": {"name", "inode", "kind", "pid", "path", "own"},
}


@pytest.mark.parametrize(("package", "collectors"), [("host", HOST), ("netns", NETNS)])
def test_every_file_is_a_collector_and_every_collector_a_file(package: str, collectors: tuple[object, ...]) -> None:
    files = {path.stem for path in (DIRECTORY / package).glob("*.py")} - {"__init__"}
    modules = [import_module(f"halfopen.collect.{package}.{stem}") for stem in sorted(files)]
    assert {id(module.COLLECTOR) for module in modules} == {id(collector) for collector in collectors}
    assert all(module.COLLECTOR.name == module.__name__.rpartition(".")[2] for module in modules)


@pytest.mark.parametrize(("package", "collectors"), [("host", HOST), ("netns", NETNS)])
def test_every_field_is_provided_once(package: str, collectors: tuple[Collector[Any], ...]) -> None:
    provided = [collector.provides for collector in collectors]
    assert len(provided) == len(set(provided))
    assert set(provided) == FIELDS[package] - NOT_COLLECTED[package]


def test_names_are_unique() -> None:
    assert len(set(names())) == len(names())


def test_every_collector_says_where_its_facts_come_from() -> None:
    for package in ("host", "netns"):
        for path in (DIRECTORY / package).glob("[!_]*.py"):
            module = import_module(f"halfopen.collect.{package}.{path.stem}")
            assert module.__doc__ is not None
            assert "``" in module.__doc__ or "(2)" in module.__doc__, path.name
