"""Namespaces that hang, vanish or may not be entered, and collectors that fail: the rest is still reported."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
from tests.unit.collect.trees import tree

from halfopen.collect import Limits, taking
from halfopen.collect.entering import Visitor
from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.netns import NETNS
from halfopen.collect.taking import GAPS_NAMED, MANY, take
from halfopen.errors import UsageError
from halfopen.model.snapshot import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def with_collector(monkeypatch: pytest.MonkeyPatch, collect: Callable[[NamespaceContext], object]) -> None:
    """One more collector of namespaces, the first of them."""
    extra: Collector[NamespaceContext] = Collector("extra", "sockstat", "something", collect)
    monkeypatch.setattr(taking, "NETNS", (extra, *(one for one in NETNS if one.name == "counters")))


def process(pid: int | str, inode: int) -> dict[str, str | bytes]:
    return {f"proc/{pid}/ns/net": f"-> net:[{inode}]", f"proc/{pid}/comm": "x\n"}


def test_a_namespace_that_hangs_is_a_gap_and_the_host_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = threading.Event()

    def hang(context: NamespaceContext) -> object:
        return stuck.wait() or context

    with_collector(monkeypatch, hang)
    snapshot = take(netns="own", limits=Limits(each_s=0.05))
    stuck.set()
    assert snapshot.unavailable[0] == Unavailable(
        "everything in this network namespace", "no answer within 0.05 s", snapshot.netns[0].name
    )
    assert snapshot.host.kernel == os.uname().release
    assert snapshot.netns[0].counters == {}


def test_a_collector_that_fails_is_a_gap_and_the_others_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with_collector(monkeypatch, lambda _: 1 // 0)
    snapshot = take(netns="own")
    name = snapshot.netns[0].name
    assert (
        Unavailable("something", "ZeroDivisionError: integer division or modulo by zero", name) in snapshot.unavailable
    )
    assert snapshot.netns[0].counters["Tcp"]
    assert {run.name: run.success for run in snapshot.collectors if run.netns} == {"extra": False, "counters": True}


def test_namespaces_that_are_gone_or_may_not_be_entered(tmp_path: Path) -> None:
    files = process("self", 1) | process(1, 1) | process(20, 2)
    snapshot = take({"counters"}, roots=tree(tmp_path, files))
    assert Unavailable("everything in this network namespace", "it is gone", "x (pid 20)") in snapshot.unavailable
    assert [one.name for one in snapshot.netns] == ["host"]


def test_where_a_namespace_is_mounted_is_text_in_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Visitor, "enter", lambda _self, _place: None)
    mountinfo = b"36 25 0:4 net:[70] /run/netns/\xff rw - nsfs nsfs rw\n"
    files = process("self", 1) | process(1, 1) | {"proc/self/mountinfo": mountinfo}
    snapshot = take({"counters"}, roots=tree(tmp_path, files))
    assert [one.path for one in snapshot.netns] == [None, "/run/netns/\\xff"]


def test_a_mount_that_cannot_be_opened_is_a_namespace_that_was_not_seen(tmp_path: Path) -> None:
    mountinfo = "36 25 0:4 net:[70] /nonesuch/blue rw - nsfs nsfs rw\n"
    files = process("self", 1) | process(1, 1) | {"proc/self/mountinfo": mountinfo}
    snapshot = take({"counters"}, roots=tree(tmp_path, files))
    assert [one.name for one in snapshot.netns] == ["host", "blue"]
    why = "neither a process in it nor its mount can be reached"
    assert Unavailable("everything in this network namespace", why, "blue") in snapshot.unavailable


def test_one_trouble_of_many_namespaces_is_told_once(tmp_path: Path) -> None:
    files = process("self", 1) | process(1, 1)
    for number in range(2, GAPS_NAMED + 10):
        files |= process(number + 100, number)
    snapshot = take({"counters"}, roots=tree(tmp_path, files))
    assert Unavailable(f"{GAPS_NAMED + 8} network namespaces", "it is gone") in snapshot.unavailable
    assert len(snapshot.netns) == 1


def test_of_very_many_namespaces_it_is_said_which_settings_were_not_read(tmp_path: Path) -> None:
    files = process("self", 1) | process(1, 1)
    for number in range(2, MANY + 2):
        files |= process(number + 100, number)
    said = Unavailable(
        "most settings of network namespaces but the host's",
        f"there are {MANY + 1} of them: only what rules look at was read",
    )
    roots = tree(tmp_path, files)
    assert said in take({"sysctls"}, roots=roots).unavailable
    assert said not in take({"counters"}, roots=roots).unavailable


def test_a_host_that_shows_nothing_is_still_a_snapshot(tmp_path: Path) -> None:
    snapshot = take(roots=tree(tmp_path, {}))
    (one,) = snapshot.netns
    assert (one.name, one.inode, one.own, one.counters, one.sysctls) == ("host", 0, True, {}, {})
    assert one.sockets is not None  # they are the kernel's to tell, without /proc
    assert {gap.what for gap in snapshot.unavailable} >= {
        "the kernel's log",
        "counters of the whole host",
        "counters",
        "kernel settings",
        "other network namespaces",
    }


def test_processes_that_are_not_even_listed(tmp_path: Path) -> None:
    shown = take({"counters"}, roots=tree(tmp_path / "a", process("self", 1) | process(1, 1)))
    hidden = take({"counters"}, roots=tree(tmp_path / "b", process("self", 1) | process(70, 1)))
    what = "network namespaces of other users' processes"
    assert [gap.blinds for gap in hidden.unavailable if gap.what == what] == [what]
    assert not [gap for gap in shown.unavailable if gap.what == what]


def test_only_what_is_asked_for_is_collected() -> None:
    snapshot = take({"sockstat"}, "own")
    assert [run.name for run in snapshot.collectors] == ["facts", "sockstat"]
    assert "TCP" in snapshot.netns[0].sockstat
    assert take({"facts"}).netns == ()


def test_an_unknown_collector() -> None:
    with pytest.raises(UsageError, match="there is no collector weather: there are facts, "):
        take({"weather"})
