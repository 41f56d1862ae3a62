"""``halfopen doctor`` as a process: exit codes, formats, files, and a wrong command line."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.unit.rules.notation import snapshots

from halfopen.cli.commands.doctor import command
from halfopen.cli.doctor_options import DoctorOptions

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Parts without which HO901 says that they could not be read.
SEEN: dict[str, Any] = {"sysctls": {"tcp_syncookies": 1}, "counters": {"ListenDrops": 0}}
FULL = {**SEEN, "listeners": [{"at": "0.0.0.0:80", "queue": 6, "limit": 5, "by": "app"}]}
QUIET: dict[str, Any] = {**SEEN, "listeners": [{"at": "0.0.0.0:22", "by": "sshd"}]}


def halfopen(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "halfopen.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def write(directory: Path, name: str, case: dict[str, Any], *, before: bool = False) -> str:
    now, earlier = snapshots(case)
    path = directory / name
    path.write_bytes(msgspec.json.encode(earlier if before else now))
    return str(path)


@pytest.mark.parametrize(
    ("state", "fail_on", "code"),
    [
        (FULL, "critical", 1),
        (FULL, "notice", 1),
        (FULL, "never", 0),
        (QUIET, "notice", 0),
        ({**SEEN, "sysctls": {"tcp_abort_on_overflow": 1}}, "notice", 1),
        ({**SEEN, "sysctls": {"tcp_abort_on_overflow": 1}}, "warning", 0),
    ],
)
def test_exit_code(tmp_path: Path, state: dict[str, Any], fail_on: str, code: int) -> None:
    file = write(tmp_path, "a.json", {"now": state})
    assert halfopen("doctor", "--snapshot", file, "--fail-on", fail_on).returncode == code


def test_this_host_is_read_and_judged() -> None:
    result = halfopen("doctor", "--netns", "own", "--format", "json")
    assert result.returncode == 0
    document = json.loads(result.stdout)
    assert document["schema"] == "halfopen.doctor/1"
    assert document["interval_s"] is None
    assert isinstance(document["findings"], list)


def test_two_snapshots_in_either_order_give_an_interval(tmp_path: Path) -> None:
    case = {"now": QUIET, "before": {}, "interval_s": 30}
    files = [write(tmp_path, "now.json", case), write(tmp_path, "before.json", case, before=True)]
    for first, second in (files, files[::-1]):
        result = halfopen("doctor", "--snapshot", first, "--snapshot", second, "--format", "json")
        assert json.loads(result.stdout)["interval_s"] == 30


def test_watching_takes_two_snapshots() -> None:
    result = halfopen("doctor", "--for", "50ms", "--netns", "own", "--format", "json")
    # What it finds on this host, and whether a busy one lets itself be read in time, is not the test's to say.
    assert result.returncode in {0, 1, 5}, result.stderr
    assert json.loads(result.stdout)["interval_s"] >= 0.05


def test_verbose_adds_the_page(tmp_path: Path) -> None:
    result = halfopen("doctor", "--snapshot", write(tmp_path, "a.json", {"now": FULL}), "-v")
    assert "When it is wrong" in result.stdout


def test_markdown(tmp_path: Path) -> None:
    result = halfopen("doctor", "--snapshot", write(tmp_path, "a.json", {"now": FULL}), "--format", "markdown")
    assert result.stdout.startswith("# Connections of web-1\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--for", "0s"], "more than 0 s"),
        (["--for", "10s", "--snapshot", "x"], "--for watches this host"),
        (["--snapshot", "a", "--snapshot", "b", "--snapshot", "c"], "once or twice"),
        (["--fail-on", "everything"], "everything"),
        (["--format", "csv"], "csv"),
    ],
)
def test_a_wrong_command_line(arguments: list[str], says: str) -> None:
    result = halfopen("doctor", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert says in result.stderr


def test_a_file_that_is_no_snapshot(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")
    assert halfopen("doctor", "--snapshot", str(path)).returncode == 3
    assert halfopen("doctor", "--snapshot", str(tmp_path / "missing")).returncode == 3


@pytest.mark.parametrize(("code", "says"), [("HO101", "accept queue"), ("ho1", "HO113"), ("stale-backlog", "HO102")])
def test_rules(code: str, says: str) -> None:
    result = halfopen("rules", code)
    assert result.returncode == 0
    assert says in result.stdout


def test_an_unknown_rule() -> None:
    assert halfopen("rules", "HO999").returncode == 2


# --- with a target ----------------------------------------------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[int]:
    """A server that accepts and closes."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listening:
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                connection, _ = listening.accept()
                connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        port: int = listening.getsockname()[1]
        yield port
        stop.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()


def examined(target: str, *more: str) -> tuple[int, dict[str, Any]]:
    result = halfopen("doctor", target, "--netns", "own", "--format", "json", *more)
    return result.returncode, json.loads(result.stdout)


def test_a_healthy_target(server: int) -> None:
    code, document = examined(f"127.0.0.1:{server}", "--fail-on", "critical")
    assert (code, document["verdict"]) == (0, "healthy")
    assert document["target"] == f"127.0.0.1:{server}"
    assert [attempt["outcome"] for attempt in document["attempts"]] == ["established"] * 5
    assert any("exonerated" in sentence for sentence in document["explanation"]["evidence"])
    assert document["explanation"]["falsified_by"]
    assert {cause["kind"] for cause in document["local_causes"]} >= {"ports", "retries"}


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port on which nobody listens, and nobody else can: it is bound."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_a_target_that_refuses(refusing: int) -> None:
    code, document = examined(f"127.0.0.1:{refusing}", "--fail-on", "critical")
    assert (code, document["verdict"]) == (1, "refused")
    assert {attempt["outcome"] for attempt in document["attempts"]} == {"refused"}


def test_a_listener_that_does_not_accept() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        port = listening.getsockname()[1]
        result = halfopen("doctor", f"127.0.0.1:{port}", "--netns", "own", "--strace", str(os.getpid()))
        assert "ACCEPT STARVATION" in result.stdout
        assert "HO101" in result.stdout
        assert f"What process {os.getpid()} does" in result.stdout


def test_of_a_master_and_its_worker_the_worker_is_looked_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        holds = [sys.executable, "-c", "import sys; sys.stdin.read()"]
        with subprocess.Popen(holds, stdin=subprocess.PIPE, pass_fds=(listening.fileno(),)) as worker:
            result = halfopen("doctor", f"127.0.0.1:{port}", "--netns", "own", "--strace", "listener")
    assert f"What process {worker.pid} does" in result.stdout
    assert f"thread {os.getpid()} " not in result.stdout


def test_a_name_without_an_address() -> None:
    code, document = examined("nonesuch.invalid:80")
    assert (code, document["verdict"], document["attempts"]) == (1, "not_resolved", [])


@pytest.mark.parametrize(("options", "code"), [([], 1), (["--fail-on", "never"], 0), (["--fail-on", "notice"], 1)])
def test_a_target_that_cannot_be_reached_is_an_exit_code(refusing: int, options: list[str], code: int) -> None:
    assert examined(f"127.0.0.1:{refusing}", *options)[0] == code


def test_a_target_that_works_is_one_too(server: int) -> None:
    assert examined(f"127.0.0.1:{server}")[0] == 0


def test_a_target_as_a_ticket(server: int) -> None:
    result = halfopen("doctor", f"127.0.0.1:{server}", "--netns", "own", "--format", "markdown")
    assert f"## healthy: 127.0.0.1:{server}" in result.stdout
    assert "| 5 | established |" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["127.0.0.1:1", "--for", "1s"], "without --for"),
        (["--strace", "1"], "goes with a target"),
        (["127.0.0.1:99999"], "no port"),
        (["127.0.0.1:1", "--strace", "nginx"], "process id"),
    ],
)
def test_a_wrong_target(arguments: list[str], says: str) -> None:
    result = halfopen("doctor", *arguments)
    assert result.returncode == 2
    assert says in result.stderr


def test_the_options_are_those_of_the_command() -> None:
    assert {param.name for param in command.params if param.expose_value} == {
        field.name for field in fields(DoctorOptions)
    }
