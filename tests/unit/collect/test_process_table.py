"""Why a process is hidden: from a user, from root of a user namespace, from root."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.unit.collect.trees import tree

from halfopen.collect.process_table import which, why_refused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@pytest.mark.parametrize(
    ("euid", "uid_map", "why"),
    [
        (1000, "0 0 4294967295\n", "this user may not look: that takes root or CAP_SYS_PTRACE"),
        (0, "         0          0 4294967295\n", "they are hidden even from root"),
        (0, "0 1000 1\n", "root of a user namespace may not look: that takes root of the host"),
        (0, "0 1000 1\n1 100000 65536\n", "root of a user namespace may not look: that takes root of the host"),
    ],
)
def test_why_a_process_is_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, euid: int, uid_map: str, why: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: euid)
    assert why_refused(tree(tmp_path, {"proc/self/uid_map": uid_map})) == why


def test_where_that_cannot_be_read_it_is_not_made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert why_refused(tree(tmp_path, {})) == "they are hidden even from root"


@pytest.mark.parametrize(
    ("pids", "words"),
    [
        ([812], "1 process (pid 812)"),
        ([9, 1, 4], "3 processes (pids 1, 4 and 9)"),
        (range(1, 1500), "1 499 processes"),
    ],
)
def test_a_few_processes_are_named(pids: Sequence[int], words: str) -> None:
    assert which(pids) == words
