"""Whatever goes wrong is one sentence on stderr and the documented code; never a traceback."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import click
import pytest

from halfopen import errors
from halfopen.cli import main

if TYPE_CHECKING:
    from tests.conftest import Halfopen

CASES = [
    (errors.UsageError("--top must be at least 1"), 2, "halfopen: --top must be at least 1\n"),
    (
        errors.InputError("cannot read the capture", "x.pcap", "no such file"),
        3,
        "halfopen: cannot read the capture x.pcap: no such file\n",
    ),
    (
        errors.ResolveError("cannot resolve", "nosuch.invalid", "Name or service not known"),
        1,
        "halfopen: cannot resolve nosuch.invalid: Name or service not known\n",
    ),
    (errors.OutputError("cannot write", "o.json", "disk full"), 3, "halfopen: cannot write o.json: disk full\n"),
    (
        errors.PrivilegeError("cannot watch", "eth0", "CAP_NET_RAW is missing", "run it as root"),
        4,
        "halfopen: cannot watch eth0: CAP_NET_RAW is missing\nhint: run it as root\n",
    ),
    (errors.NotAvailableError("not available", "eBPF", "no BTF"), 5, "halfopen: not available eBPF: no BTF\n"),
    (
        PermissionError(errno.EACCES, "Permission denied", "a.pcap"),
        3,
        "halfopen: cannot use a.pcap: Permission denied\n",
    ),
    (KeyboardInterrupt(), 130, ""),
    (BrokenPipeError(), 141, ""),
    (click.UsageError("No such thing."), 2, "halfopen: no such thing\n"),
    (click.exceptions.Exit(5), 5, ""),
    (
        ZeroDivisionError("division by zero"),
        70,
        "halfopen: internal error: ZeroDivisionError: division by zero\n"
        "hint: this is a defect of halfopen: HALFOPEN_DEBUG=1 shows where, for a report\n",
    ),
]


@pytest.mark.parametrize(("error", "code", "talk"), CASES, ids=lambda value: type(value).__name__)
def test_an_error_is_a_sentence_and_a_code(
    error: BaseException, code: int, talk: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(_: list[str]) -> int:
        raise error

    monkeypatch.setattr(main, "_invoke", fail)
    monkeypatch.setattr(main, "_abandon_stdout", lambda: None)  # pytest's own stdout must survive
    monkeypatch.delenv("HALFOPEN_DEBUG", raising=False)
    assert main.run([]) == code
    assert capfd.readouterr() == ("", talk)


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    def fail(_: list[str]) -> int:
        raise errors.InputError("cannot read", "x")

    monkeypatch.setattr(main, "_invoke", fail)
    monkeypatch.setenv("HALFOPEN_DEBUG", "1")
    assert main.run([]) == 3
    talk = capfd.readouterr().err
    assert talk.startswith("Traceback (most recent call last)")
    assert talk.endswith("halfopen: cannot read x\n")


def test_pages_of_a_mistaken_paste_are_not_repeated(halfopen: Halfopen) -> None:
    done = halfopen("probe", "a" * 5000)
    assert done.returncode == 2
    assert done.stderr == f"halfopen: '{'a' * 79}…(4882 characters)…{'a' * 39}' is no target: it names no host\n"
    path = "/" + "b" * 250
    assert f"{path}: " in halfopen("trace", path).stderr


@pytest.mark.parametrize(
    ("arguments", "talk"),
    [
        (["nonesuch"], "halfopen: no such command 'nonesuch'\nhint: see halfopen --help\n"),
        (["--nonesuch"], "halfopen: no such option '--nonesuch'\nhint: see halfopen --help\n"),
        (
            ["completion", "tcsh"],
            "halfopen: invalid value for '{bash|zsh|fish}': 'tcsh' is not one of 'bash', 'zsh', 'fish'\n"
            "hint: see halfopen completion --help\n",
        ),
        (["--color", "pink", "trace"], None),
        (["completion"], None),
        ([], None),
    ],
)
def test_a_wrong_command_line_exits_with_2(halfopen: Halfopen, arguments: list[str], talk: str | None) -> None:
    done = halfopen(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert done.stderr if talk is None else done.stderr == talk


def test_hostile_text_reaches_no_terminal(halfopen: Halfopen) -> None:
    done = halfopen("evil\x1b[31m\u202e\x07\x9b\ncommand")
    assert done.stderr.startswith(r"halfopen: no such command 'evil\x1b[31m")
    hostile = {"\x1b", "\u202e", "\x07", "\x9b"}
    assert not hostile & set(done.stderr)
    assert done.stderr.count("\n") == 2  # the sentence and the hint
