"""``halfopen trace``: which command lines are refused, and how."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from halfopen.cli.command import SHARED
from halfopen.cli.commands.trace import command
from halfopen.cli.trace_options import TraceOptions

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Halfopen


def test_the_options_are_the_fields() -> None:
    assert {param.name for param in command.params} - set(SHARED) == {field.name for field in fields(TraceOptions)}


@pytest.mark.parametrize(
    ("arguments", "talk"),
    [
        ([], "missing argument 'FILE...'"),
        (["a", "--top", "0"], "invalid value for '--top': 0 is not in the range x>=1"),
        (["a", "--since", "noon"], "invalid value for '--since': 'noon' is no time"),
        (["a", "--ladder", "all"], "invalid value for '--ladder': 'all' is no handshake"),
        (["a", "--ladder", "1", "--format", "json"], "--ladder is a drawing: it has no --format json"),
        (["a", "--ladder", "1", "--against", "b"], "--ladder draws one capture, and --against compares two"),
        (["a", "--ladder", "1", "--where", "x"], "--ladder draws what it names, whatever else is in the capture"),
        (["a", "--ladder", "1", "--report", "b"], "--ladder draws what it names, whatever else is in the capture"),
        (["-", "--against", "-"], "standard input can be read only once: - was given twice"),
        (["-", "-"], "standard input can be read only once: - was given twice"),
        (["a", "--since", "+5s", "--until", "+1s"], "--since is not before --until"),
        (["a", "-o", "a"], "--output a is one of the captures"),
        (["a", "--report", "a"], "--report a is one of the captures"),
        (["a", "-o", "b", "--report", "b"], "--output and --report are the same file"),
        (["a", "--format", "yaml"], "invalid value for '--format': 'yaml' is not one of"),
    ],
)
def test_refused(halfopen: Halfopen, arguments: list[str], talk: str) -> None:
    done = halfopen("trace", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"halfopen: {talk}")


def test_a_capture_is_not_overwritten_through_a_link(halfopen: Halfopen, tmp_path: Path) -> None:
    capture = tmp_path / "a.pcap"
    capture.write_bytes(b"precious")
    (tmp_path / "link").symlink_to(capture)
    done = halfopen("trace", capture, "-o", tmp_path / "link")
    assert done.returncode == 2
    assert capture.read_bytes() == b"precious"


@pytest.mark.parametrize("arguments", [["--format", "json", "trace", "a"], ["trace", "a", "--format", "json"]])
def test_the_format_may_stand_before_or_after(halfopen: Halfopen, arguments: list[str]) -> None:
    done = halfopen(*arguments, "--ladder", "1")
    assert done.stderr == "halfopen: --ladder is a drawing: it has no --format json\n"


def test_the_last_format_wins(halfopen: Halfopen) -> None:
    done = halfopen("--format", "json", "trace", "a", "--format", "csv", "--ladder", "1")
    assert done.stderr == "halfopen: --ladder is a drawing: it has no --format csv\n"


def test_a_format_that_the_command_lacks(halfopen: Halfopen) -> None:
    done = halfopen("--format", "csv", "completion", "bash")
    assert done.returncode == 2
    assert done.stderr.startswith("halfopen: completion has no --format csv: it prints text\n")
