"""A procfs of one's own is renewed, given back, and done without where none can be made."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from halfopen import _core
from halfopen.collect.private_proc import LOOKS, PrivateProc
from halfopen.collect.roots import Roots


def is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Stands in for the kernel's; the descriptors that were handed out."""
    found: list[int] = []

    def private_proc() -> int:
        found.append(os.open("/proc", os.O_RDONLY))
        return found[-1]

    monkeypatch.setattr(_core, "private_proc", private_proc)
    return found


def test_it_is_renewed_now_and_then_and_the_old_one_closed(made: list[int]) -> None:
    private = PrivateProc(Roots())
    paths = {private.settings() for _ in range(LOOKS)}
    assert paths == {Path(f"/proc/self/fd/{made[0]}/sys/net")}
    assert (paths.pop() / "core/somaxconn").read_text() == Path("/proc/sys/net/core/somaxconn").read_text()
    assert len(made) == 1
    before = len(list(Path("/proc/self/fd").iterdir()))
    private.settings()
    assert len(made) == 2
    assert is_open(made[1])
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_it_is_given_back_with_the_thread_s_visitor(made: list[int]) -> None:
    private = PrivateProc(Roots())
    private.settings()
    assert is_open(made[0])
    del private
    assert not is_open(made[0])


def test_where_none_can_be_made_it_is_proc_itself_and_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[None] = []

    def refuse() -> int:
        asked.append(None)
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(_core, "private_proc", refuse)
    private = PrivateProc(Roots())
    assert {private.settings() for _ in range(3 * LOOKS)} == {Path("/proc/sys/net")}
    assert len(asked) == 1


def test_a_tree_of_files_is_read_where_it_lies(made: list[int], tmp_path: Path) -> None:
    assert PrivateProc(Roots.below(tmp_path)).settings() == tmp_path / "proc/sys/net"
    assert made == []
