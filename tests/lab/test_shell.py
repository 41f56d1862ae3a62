"""``halfopen lab shell``: a program inside a host, while the pitfall is there."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from tests.lab.test_experiments import children, lab, namespaces, needs_root

from halfopen.lab.waiting import until


def shell(*arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(lab("shell", *arguments), input=text, capture_output=True, text=True, check=False, timeout=60)


def counters(netstat: str) -> dict[str, int]:
    """The first group of /proc/net/netstat."""
    names, values = netstat.splitlines()[:2]
    return dict(zip(names.split()[1:], map(int, values.split()[1:]), strict=True))


@needs_root
def test_the_command_sees_what_the_experiment_made_and_nothing_is_left() -> None:
    before = namespaces()
    done = shell("accept-queue-overflow", "server", "--", "cat", "/proc/net/netstat")
    assert done.returncode == 0, done.stderr
    assert counters(done.stdout)["ListenOverflows"] == 91
    assert "(hosts: client, server)" in done.stderr
    until(lambda: namespaces() <= before, "its namespaces to vanish", 20)


@needs_root
def test_the_sockets_are_still_there() -> None:
    queue = shell("accept-queue-overflow", "--", "ss", "--no-header", "-ltn").stdout.split()
    assert queue[:3] == ["LISTEN", "9", "8"]
    clients = shell("accept-queue-overflow", "client", "--", "ss", "--no-header", "-tn", "state", "established")
    assert len(clients.stdout.splitlines()) == 9


@needs_root
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("lost-final-ack", {"ESTAB", "LISTEN 1 0", "SYN-RECV"}),
        ("dead-entries", {"CLOSE-WAIT", "LISTEN 16 15"}),
        ("stalled-accept", {"ESTAB", "LISTEN 9 8"}),
        ("flood-with-clients", {"LISTEN 0 128", "SYN-RECV"}),
        ("synack-retries", {"LISTEN 0 10", "SYN-RECV"}),
        ("defer-accept", {"LISTEN 0 8", "SYN-RECV"}),
    ],
)
def test_whoever_looks_around_sees_the_pitfall_itself(name: str, rows: set[str]) -> None:
    lines = [line.split() for line in shell(name, "--", "ss", "--no-header", "-tan").stdout.splitlines()]
    assert {" ".join(line[:3]) if line[0] == "LISTEN" else line[0] for line in lines} == rows


@needs_root
def test_the_exit_code_is_that_of_the_command() -> None:
    assert shell("backlog-and-somaxconn", "client", "--", "sh", "-c", "exit 7").returncode == 7
    assert shell("backlog-and-somaxconn", "--", "sh", "-c", "kill -TERM $$").returncode == 128 + 15


@needs_root
def test_without_a_command_it_is_a_shell() -> None:
    done = shell("--quiet", "backlog-and-somaxconn", text="echo $((40 + 2))\n")
    assert done.stdout == "42\n"
    assert done.stderr == ""


@needs_root
def test_a_host_that_is_not_there_is_a_wrong_command_line() -> None:
    done = shell("backlog-and-somaxconn", "router", "--", "true")
    assert done.returncode == 2
    assert done.stderr == "halfopen: the experiment has no host router\nhint: it has client, server\n"


@needs_root
def test_a_program_that_is_not_there_is_said_before_anything_is_run() -> None:
    done = shell("backlog-and-somaxconn", "--", "no-such-program")
    assert done.returncode == 127
    assert done.stderr.splitlines()[1:] == [
        "halfopen: cannot run no-such-program: no such program, or it may not be executed"
    ]


def test_an_unknown_experiment_is_a_wrong_command_line() -> None:
    assert shell("no-such-thing").returncode == 2


def is_sleeping(pid: int) -> bool:
    """Whether the process has become ``sleep``."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="ascii") == "sleep\n"
    except OSError:  # it vanished meanwhile
        return False


@needs_root
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_the_command_does_not_outlive_us(number: signal.Signals, code: int) -> None:
    before = namespaces()
    process = subprocess.Popen(lab("shell", "backlog-and-somaxconn", "--", "sleep", "120"), stderr=subprocess.DEVNULL)
    until(lambda: any(is_sleeping(pid) for pid in children(process.pid)), "the command to begin", 20)
    begun = children(process.pid)
    process.send_signal(number)
    assert process.wait(20) == code
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in begun), "the command to end", 20)
    until(lambda: namespaces() <= before, "its namespaces to vanish", 20)
