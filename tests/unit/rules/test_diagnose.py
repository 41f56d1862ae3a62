"""The engine: pairing, merging, ranking, and the example in its documentation."""

from __future__ import annotations

import doctest
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest
from tests.unit.rules.notation import snapshots

from halfopen.model.finding import HARMS, Finding, Subject
from halfopen.render.findings import steps
from halfopen.rules import RULES, diagnose
from halfopen.rules.context import Context
from halfopen.rules.growth import Growth, between
from halfopen.rules.merge import merged, ranked

SEEN: dict[str, Any] = {"sysctls": {"tcp_syncookies": 1}, "counters": {"ListenDrops": 0}}


def finding(code: str, name: str = "a", **fields: Any) -> Finding:  # noqa: ANN401
    facts: dict[str, Any] = {"severity": "warning", "harm": "slow", "cause": "x", **fields}
    subject = facts.pop("subject", Subject("listener", name, "host", address=name, port=1))
    return Finding(code=code, name=code, subject=subject, **facts)


def test_the_example_runs() -> None:
    outcome = doctest.testmod(import_module("halfopen.rules.diagnose"), raise_on_error=False)
    assert outcome.attempted > 0
    assert outcome.failed == 0


def test_an_empty_snapshot_is_judged_without_a_finding_but_the_gap() -> None:
    now, _ = snapshots({})
    assert [one.code for one in diagnose(now).findings] == ["HO901"]
    assert diagnose(snapshots({"now": SEEN})[0]).findings == ()


def test_the_worst_harm_comes_first() -> None:
    found = [finding("HO1", harm=harm) for harm in reversed(HARMS)]
    assert [one.harm for one in ranked(found)] == list(HARMS)


def test_within_one_harm_the_surest_of_the_most_severe_comes_first() -> None:
    found = [
        finding("HO3", severity="notice"),
        finding("HO2", severity="critical", confidence="possible"),
        finding("HO1", severity="critical"),
    ]
    assert [one.code for one in ranked(found)] == ["HO1", "HO2", "HO3"]


def test_a_cause_takes_in_its_symptoms_on_the_same_subject_only() -> None:
    found = [finding("HO101", severity="critical"), finding("HO104"), finding("HO104", "b")]
    left = {(one.code, one.subject.name): one.also for one in merged(found, RULES)}
    assert left == {("HO101", "a"): ("HO104",), ("HO104", "b"): ()}


def hasty(*names: str) -> list[Finding]:
    key = "net.ipv4.tcp_syn_retries"
    settings = {"sysctls": {"tcp_syn_retries": 2, "tcp_syn_linear_timeouts": 4}, "counters": {}}
    now, _ = snapshots({"now": settings})
    spaces = tuple(
        replace(now.netns[0], name=name, kind="named", own=False, path=f"/run/netns/{name}", inode=at)
        for at, name in enumerate(names, 10)
    )
    found = diagnose(replace(now, netns=spaces)).findings
    return [one for one in found if one.code == "HO210" and one.subject.key == key]


def test_one_setting_in_several_namespaces_is_one_finding_with_a_change_for_each() -> None:
    (one,) = hasty("a", "b")
    assert (one.subject.name, one.subject.netns) == ("net.ipv4.tcp_syn_retries in a and b", None)
    assert one.remedy is not None
    assert [change.netns for change in one.remedy.changes] == ["a", "b"]


def test_of_many_namespaces_the_first_are_named() -> None:
    (one,) = hasty(*"abcdef")
    assert one.subject.name == "net.ipv4.tcp_syn_retries in a, b, c and 3 more namespaces"
    assert one.remedy is not None
    assert len(one.remedy.changes) == 6


def test_a_setting_in_one_namespace_keeps_its_name() -> None:
    (one,) = hasty("a")
    assert (one.subject.name, one.subject.netns) == ("net.ipv4.tcp_syn_retries", "a")


def test_a_mild_finding_takes_in_no_severe_one() -> None:
    found = [finding("HO101", severity="notice"), finding("HO104", severity="critical")]
    assert len(merged(found, RULES)) == 2


def test_a_chain_ends_at_its_head() -> None:
    found = [finding("HO109", severity="notice"), finding("HO104"), finding("HO101", severity="critical")]
    (left,) = merged(found, RULES)
    assert (left.code, set(left.also)) == ("HO101", {"HO104", "HO109"})


@pytest.mark.parametrize(
    ("before", "says"),
    [
        ({"host": {"name": "other"}}, "different machines"),
        ({"host": {"boot_id": "other"}}, "booted between"),
    ],
)
def test_an_earlier_snapshot_that_does_not_fit_is_left_out(before: dict[str, Any], says: str) -> None:
    context = Context.of(*snapshots({"now": SEEN, "before": before}))
    assert context.before is None
    assert context.misfit is not None
    assert says in context.misfit


def test_a_namespace_is_found_again_by_its_inode_and_not_by_its_name() -> None:
    spaces = {"netns": [{"name": "new", "inode": 7, "counters": {"ListenDrops": 9}}]}
    before = {"netns": [{"name": "old", "inode": 7, "counters": {"ListenDrops": 4}}]}
    context = Context.of(*snapshots({"now": spaces, "before": before}))
    growth = context.spaces[1].growth("ListenDrops")
    assert growth == Growth(5, 10.0, measured=True)


def test_a_counter_that_went_back_says_nothing() -> None:
    assert between(5, 3, 10.0) is None
    assert between(None, 3, 10.0) is None


@pytest.mark.parametrize(
    ("growth", "when", "recent"),
    [
        (Growth(5, 10.0, measured=True), "in 10 s", True),
        (Growth(5, 600.0, measured=False), "since boot, 10 min ago", True),
        (Growth(5, 8e6, measured=False), "since boot, 92 d 14 h ago", False),
        (Growth(5, None, measured=False, since="since the namespace began"), "since the namespace began", False),
    ],
)
def test_growth_in_words(growth: Growth, when: str, recent: bool) -> None:
    assert (growth.when, growth.recent) == (when, recent)


def test_of_many_changes_the_first_are_printed_and_the_others_counted() -> None:
    (one,) = hasty(*(f"n{at}" for at in range(40)))
    printed = list(steps(one))
    assert [line for line in printed if "sysctl -w" in line] == [
        f"`ip netns exec n{at} sysctl -w net.ipv4.tcp_syn_retries=6` (now 2)" for at in range(5)
    ]
    assert "and 35 changes like these: `--format json` lists them all" in printed
