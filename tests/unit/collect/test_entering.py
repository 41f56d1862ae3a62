"""The way into a namespace: what has taken its place is not opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from halfopen.collect.entering import GONE, HIDDEN, Visitor
from halfopen.collect.places import Place
from halfopen.collect.roots import Roots
from halfopen.errors import NotAvailableError

HERE = Path("/proc/self/ns/net")


def why(place: Place) -> str:
    with pytest.raises(NotAvailableError) as caught:
        Visitor(Roots(), None).enter(place)
    return str(caught.value)


def test_a_pipe_that_has_taken_the_place_of_a_mount_is_not_opened(tmp_path: Path) -> None:
    # Opening it to read would wait for somebody who writes.
    pipe = tmp_path / "blue"
    os.mkfifo(pipe)
    assert why(Place(pipe.stat().st_ino, path=str(pipe))) == HIDDEN


def test_a_file_with_the_number_of_a_namespace_is_none(tmp_path: Path) -> None:
    file = tmp_path / "blue"
    file.touch()
    assert why(Place(file.stat().st_ino, door=str(file), holder=1)) == GONE


def test_what_was_closed_or_is_another_namespace_is_gone() -> None:
    assert why(Place(7, door=f"/proc/{os.getpid()}/fd/999", holder=os.getpid())) == GONE
    assert why(Place(7, pids=[os.getpid()])) == GONE
    descriptor = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    try:
        inode = os.fstat(descriptor).st_ino
        assert why(Place(HERE.stat().st_ino, door=f"/proc/self/fd/{descriptor}", holder=1)) == GONE
        assert inode != HERE.stat().st_ino
    finally:
        os.close(descriptor)
