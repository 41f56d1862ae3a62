"""The table of settings agrees with itself and with the list of names of a real kernel."""

from __future__ import annotations

import re

import pytest

from halfopen.knowledge.codes import SHARED_CODES
from halfopen.knowledge.kernel_version import KernelVersion
from halfopen.knowledge.sysctls import BY_KEY, ROWS, Sysctl, find, pattern
from halfopen.knowledge.sysctls.names import NAMES


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_a_row_makes_sense(row: Sysctl) -> None:
    assert (row.key in NAMES) == (row.until is None), "what 6.18 has is in the list that was read there"
    assert row.does.endswith(".")
    assert row.facts
    if row.accepts and row.default and row.count:
        assert all(row.accepts[0] <= int(word) <= row.accepts[1] for word in row.default.split())
        assert len(row.default.split()) == row.count
    if row.accepts and row.sensible:
        assert row.accepts[0] <= row.sensible[0] <= row.sensible[1] <= row.accepts[1]


def test_no_key_stands_twice() -> None:
    assert len(BY_KEY) == len(ROWS)


def test_interfaces_are_a_pattern() -> None:
    assert pattern("net.ipv4.conf.eth0/100.rp_filter") == "net.ipv4.conf.*.rp_filter"
    row = find("net.ipv4.conf.all.rp_filter")
    assert row is not None
    assert row.sensible == (0, 2)
    assert find("net.ipv4.tcp_nonesuch") is None


def test_versions() -> None:
    recycle, linear = BY_KEY["net.ipv4.tcp_tw_recycle"], BY_KEY["net.ipv4.tcp_syn_linear_timeouts"]
    assert recycle.exists_on(KernelVersion(4, 11))
    assert not recycle.exists_on(KernelVersion(4, 12))
    assert not linear.exists_on(KernelVersion(6, 1))
    assert linear.exists_on(KernelVersion(6, 5))
    assert BY_KEY["net.core.somaxconn"].default_on(KernelVersion(4, 18)) == "128"
    assert BY_KEY["net.core.somaxconn"].default_on(KernelVersion(5, 4)) == "4096"


@pytest.mark.parametrize(
    ("text", "version"), [("6.18.44-fc-v669", (6, 18)), ("v6.1", (6, 1)), ("4.18.0-513.el8.x86_64", (4, 18))]
)
def test_releases(text: str, version: tuple[int, int]) -> None:
    assert KernelVersion.parse(text) == version


@pytest.mark.parametrize("text", ["", "six", "6", "6.", "6.1x", "-1.2"])
def test_what_is_no_release(text: str) -> None:
    with pytest.raises(ValueError, match="no kernel release"):
        KernelVersion.parse(text)


def test_shared_codes_have_the_form_of_codes() -> None:
    assert all(re.fullmatch(r"HO[1-9]\d\d", code) for code in SHARED_CODES)
    assert len(set(SHARED_CODES.values())) == len(SHARED_CODES)
