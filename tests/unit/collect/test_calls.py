"""What threads do, from /proc: this process, a tree of a test's own, and text that is made to confuse."""

from __future__ import annotations

import os
import platform
import threading
from typing import TYPE_CHECKING

import pytest

from halfopen.collect.calls import parse_stat, parse_syscall, thread_calls
from halfopen.collect.roots import Roots
from halfopen.errors import InputError
from halfopen.knowledge.syscalls import name_of
from halfopen.model.calls import ThreadCall
from halfopen.render.doctor_target import call_words

if TYPE_CHECKING:
    from pathlib import Path


def test_a_thread_of_this_process_that_waits_is_seen_waiting() -> None:
    reader, writer = os.pipe()
    thread = threading.Thread(target=os.read, args=(reader, 1))
    thread.start()
    try:
        tid = thread.native_id
        for _ in range(100_000):
            calls = {call.tid: call for call in thread_calls(os.getpid(), platform.machine())}
            if tid is not None and (calls[tid].call, calls[tid].state) == ("read", "S"):
                break
        else:
            pytest.fail("the thread was never seen in read()")
        assert tid is not None
        assert (calls[tid].descriptor, calls[tid].state, calls[tid].inode) == (reader, "S", None)
    finally:
        os.write(writer, b"x")
        thread.join()
        os.close(reader)
        os.close(writer)


def test_a_process_that_is_not_there() -> None:
    with pytest.raises(InputError, match="cannot look at process"):
        thread_calls(2**22 + 1, "x86_64")


def test_what_may_not_be_read_is_unknown(tmp_path: Path) -> None:
    task = tmp_path / "proc/5/task/5"
    task.mkdir(parents=True)
    (task / "stat").write_text("5 (a (b) c) D 1 5 5")
    (call,) = thread_calls(5, "x86_64", Roots.below(tmp_path))
    assert call == ThreadCall(5, 5, "a (b) c", "D")


@pytest.mark.parametrize(
    ("text", "call", "descriptor"),
    [
        ("288 0x3 0x7ffd 0x1 0x0 0x0 0x0 0x7ffd 0x7f\n", "accept4", 3),
        ("202 0x7f12 0x80 0x0", "futex", None),
        ("9999 0x1", "call 9999", None),
        ("running", "running", None),
        ("-1 0x7ffd 0x7f", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_syscall(text: str | None, call: str | None, descriptor: int | None) -> None:
    assert parse_syscall(text, "x86_64") == (call, descriptor)


@pytest.mark.parametrize(("text", "parts"), [("1 (a) S 0", ("a", "S")), ("1 () Z", ("", "Z")), ("", ("", "?"))])
def test_stat(text: str, parts: tuple[str, str]) -> None:
    assert parse_stat(text) == parts


@pytest.mark.parametrize(("machine", "accept4"), [("x86_64", 288), ("aarch64", 242)])
def test_numbers_are_the_machines(machine: str, accept4: int) -> None:
    assert name_of(accept4, machine) == "accept4"
    assert name_of(accept4, "sparc64") is None


def test_words() -> None:
    waiting = ThreadCall(5, 6, "nginx\x1b[2J", "S", "accept4", 3, 77, "0.0.0.0:80 (nginx)", "inet_csk_accept")
    assert call_words(waiting) == r"thread 6 (nginx\x1b[2J) sleeps in accept4 on 0.0.0.0:80 (nginx) (inet_csk_accept)"
    assert call_words(ThreadCall(5, 6, "a", "R", "running")) == "thread 6 (a) runs"
    assert call_words(ThreadCall(5, 6, "a", "T")) == "thread 6 (a) is stopped"
