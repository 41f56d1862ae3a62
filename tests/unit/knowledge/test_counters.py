"""The table of counters: each name once, spelled as this kernel spells it, and explained in one clause."""

from __future__ import annotations

from pathlib import Path

import pytest

from halfopen.knowledge.counters import BY_NAME, COUNTERS, Counter
from halfopen.knowledge.mib_text import parse_pairs

#: Counters that came with a kernel newer than the oldest that may run these tests, with the version.
NEW = {"TSEcrRejected": "6.15", "PAWSTimewait": "6.14"}


def test_each_name_is_there_once() -> None:
    assert len(BY_NAME) == len(COUNTERS)


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: counter.name)
def test_a_counter_is_spelled_as_the_kernel_does(counter: Counter) -> None:
    kernel = parse_pairs(Path("/proc/net/snmp").read_text() + Path("/proc/net/netstat").read_text())
    if counter.name in NEW and counter.name not in kernel[counter.group]:
        pytest.skip(f"this kernel is older than {NEW[counter.name]}")
    assert counter.name in kernel[counter.group]


@pytest.mark.parametrize("counter", COUNTERS, ids=lambda counter: counter.name)
def test_a_meaning_is_a_clause_with_a_source(counter: Counter) -> None:
    assert len(counter.meaning) > 12
    assert not counter.meaning.endswith(".")
    assert counter.name not in counter.meaning.split()
    assert counter.source
