"""What the facts do not show: whether a host may be judged at all, and where nothing may be called fine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.rules.notation import snapshots

from halfopen.model.snapshot import Unavailable
from halfopen.rules import diagnose
from halfopen.rules.context import Context
from halfopen.rules.coverage import is_examined, looked_at, unseen

SEEN: dict[str, Any] = {"sysctls": {"tcp_syncookies": 1}, "counters": {"ListenDrops": 0}}
BLIND = {"blind": True}


def context(now: dict[str, Any], before: dict[str, Any] | None = None) -> Context:
    return Context.of(*snapshots({"now": now} if before is None else {"now": now, "before": before}))


@pytest.mark.parametrize(
    ("now", "examined", "not_seen"),
    [
        (SEEN, True, ()),
        ({**SEEN, **BLIND}, True, ("sockets of the host",)),
        ({"counters": {"ListenDrops": 0}}, True, ("settings of the host",)),
        ({"sysctls": {"tcp_syncookies": 1}}, True, ("counters of the host",)),
        ({}, False, ("counters and settings of the host",)),
        ({**BLIND, "counters": {"ListenDrops": 0}}, False, ("sockets and settings of the host",)),
        ({**BLIND}, False, ("the host",)),
    ],
)
def test_two_parts_of_three_are_enough(now: dict[str, Any], examined: bool, not_seen: tuple[str, ...]) -> None:
    facts = context(now)
    assert (is_examined(facts), unseen(facts)) == (examined, not_seen)


def test_counters_without_those_of_drops_are_none() -> None:
    facts = context({**SEEN, "counters": {"Tcp.PassiveOpens": 9}})
    assert unseen(facts) == ("counters of the host",)


def test_nothing_but_the_machine() -> None:
    now, _ = snapshots({"now": SEEN})
    facts = Context.of(replace(now, netns=()))
    assert (is_examined(facts), looked_at(facts), unseen(facts)) == (False, 0, ("every network namespace",))


def test_one_whole_namespace_is_enough_and_the_others_are_told_by_their_trouble() -> None:
    others = [{"name": name, **BLIND} for name in ("a", "b")] + [{"name": f"c{n}", **SEEN, **BLIND} for n in range(4)]
    facts = context({**SEEN, "netns": others})
    assert (is_examined(facts), looked_at(facts)) == (True, 5)
    assert unseen(facts) == ("network namespaces a and b", "sockets of 4 network namespaces")


def test_what_the_earlier_snapshot_lacks_is_not_seen_either() -> None:
    assert unseen(context(SEEN, {**BLIND})) == ("sockets of the host",)


def test_what_collectors_know_to_be_hidden() -> None:
    now, _ = snapshots({"now": SEEN})
    gaps = (
        Unavailable("rules of nftables", "no", "host", "packet filter rules"),
        Unavailable("rules of iptables-legacy", "no", "host", "packet filter rules"),
        Unavailable("network namespaces of 2 processes", "no", None, "network namespaces of 2 processes"),
        Unavailable("the kernel's log", "no"),
    )
    facts = Context.of(replace(now, unavailable=gaps))
    assert unseen(facts) == ("packet filter rules of the host", "network namespaces of 2 processes")
    assert is_examined(facts)


def test_where_there_is_no_namespace_the_gap_is_a_finding() -> None:
    now, _ = snapshots({"now": SEEN})
    (one,) = diagnose(replace(now, netns=())).findings
    assert (one.code, one.subject.kind, one.cause) == (
        "HO901",
        "host",
        "No network namespace could be read: every rule stayed silent.",
    )
    assert [item.value for item in one.evidence] == [0]
