"""Every experiment, on the kernel at hand; and the lab's own promises."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import ROOT

from halfopen.lab.experiments import EXPERIMENTS, load
from halfopen.lab.namespace import Namespace
from halfopen.lab.protocol import RunOptions
from halfopen.lab.runner import run_one
from halfopen.lab.waiting import NeverHappenedError, until

if TYPE_CHECKING:
    from collections import Counter

    from halfopen.model.experiment import ExperimentResult

NOBODY = 65534
#: What is found after the remedy, too.
LASTING = {"HO406": "the kernel's log keeps its line"}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="making network namespaces needs root")


@needs_root
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment(name: str, tally: Counter[str]) -> None:
    told = run_one(name, RunOptions())
    result = told.result
    tally[result.result] += 1
    if result.result == "skipped":
        pytest.skip(f"this kernel cannot: {result.why}")
    assert result.result == "passed", result.why
    assert set(told.hosts) <= set(load(name).hosts)
    if not any("not available here" in line for line in result.story):
        assert set(load(name).proves) <= answers(result, "yes"), "the doctor finds what the experiment makes happen"
        assert set(load(name).proves) <= answers(result, "no") | LASTING.keys(), "and is silent where it is mended"


def answers(result: ExperimentResult, answer: str) -> set[str]:
    """Codes of the rules of which the experiment saw that the doctor finds them, or does not."""
    checks = (*result.before, *result.after)
    found = [
        (check.observed, re.fullmatch(r"halfopen doctor on the .* finds (HO\d+)(?:, .*)?", check.what))
        for check in checks
    ]
    return {match[1] for observed, match in found if match is not None and observed == answer}


def lab(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "halfopen.cli.main", "lab", *arguments]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(lab(*arguments), capture_output=True, text=True, check=False, timeout=60)


def test_an_unknown_experiment_is_a_wrong_command_line() -> None:
    done = run("run", "no-such-thing")
    assert done.returncode == 2
    assert "no-such-thing" in done.stderr


def test_all_or_some_but_not_none() -> None:
    assert run("run").returncode == 2
    assert run("run", "--all", EXPERIMENTS[0]).returncode == 2


def test_the_list_names_every_experiment() -> None:
    listed = json.loads(run("list", "--format", "json").stdout)
    assert [row["name"] for row in listed["experiments"]] == list(EXPERIMENTS)


@needs_root
def test_what_is_named_twice_is_run_once() -> None:
    document = json.loads(run("run", *2 * ["backlog-and-somaxconn"], "--format", "json").stdout)
    assert len(document["experiments"]) == 1


@needs_root
def test_the_json_has_what_the_design_promises() -> None:
    document: dict[str, Any] = json.loads(run("run", "backlog-and-somaxconn", "--format", "json").stdout)
    assert document["schema"] == "halfopen.lab/1"
    (experiment,) = document["experiments"]
    assert experiment["result"] == "passed"
    for phase in ("before", "after"):
        assert {"what", "expected", "observed", "holds"} <= experiment[phase][0].keys()


@needs_root
def test_the_link_reports_what_it_did_to_which_packet() -> None:
    (experiment,) = json.loads(run("run", "lost-final-ack", "--format", "json").stdout)["experiments"]
    (link,) = experiment["links"]
    assert [way["sender"] for way in link["ways"]] == ["client", "server"]
    deeds = [deed for deed in link["deeds"] if deed["packet"] != "other"]
    assert [(deed["did"], deed["packet"]) for deed in deeds] == 3 * [("delay=200ms final_ack limit=1", "final_ack")]
    assert all(deed["destination"] == "192.0.2.2:8000" for deed in deeds)


def namespaces() -> int:
    """Network namespaces that some process is in or holds open."""
    done = subprocess.run(["lsns", "--type", "net", "--noheadings"], capture_output=True, text=True, check=True)
    return len(done.stdout.splitlines())


def children(pid: int) -> list[int]:
    """Processes that any thread of ``pid`` started."""
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


def holds_namespaces(pid: int) -> bool:
    """Whether the process has network namespaces open; False also when it vanishes meanwhile."""
    try:
        return any(str(link.readlink()).startswith("net:") for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


@needs_root
def test_nothing_is_left_after_a_kill() -> None:
    before = namespaces()
    process = subprocess.Popen(lab("run", "lost-final-ack"), stdout=subprocess.DEVNULL)
    begun = until(
        lambda: [pid for pid in children(process.pid) if holds_namespaces(pid)], "the experiment to begin", 20
    )
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in begun), "its process to end", 20)
    until(lambda: namespaces() <= before, "its namespaces to vanish", 20)


@needs_root
def test_ctrl_c_waits_for_no_experiment() -> None:
    command = lab("run", "lost-syn", "synack-retries", "new-namespace", "--jobs", "1")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    begun = until(
        lambda: [pid for pid in children(process.pid) if holds_namespaces(pid)], "the experiment to begin", 20
    )
    process.send_signal(signal.SIGINT)
    # The first of them takes twenty seconds, and the second fifteen.
    assert process.wait(12) == 130
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in begun), "its process to end", 20)


def as_nobody(command: list[str]) -> subprocess.CompletedProcess[str]:
    paths = [str(ROOT / "src"), *(path for path in sys.path if path.endswith("site-packages"))]
    return subprocess.run(
        command,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        env={"PYTHONPATH": ":".join(paths), "PATH": os.environ["PATH"], "HOME": "/"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def python_of_nobody() -> str | None:
    """A Python of our version that an ordinary user may run, and that finds halfopen."""
    for place in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        try:
            if as_nobody([place, "-c", "import halfopen._core"]).returncode == 0:
                return place
        except OSError:  # not there, or not for this user
            continue
    return None


@needs_root
def test_an_ordinary_user_gets_a_user_namespace() -> None:
    python = python_of_nobody()
    if python is None:
        pytest.skip("an ordinary user may not run this Python, or not read this directory")
    done = as_nobody([python, "-m", "halfopen.cli.main", "lab", "run", "backlog-and-somaxconn", "--format", "json"])
    document = json.loads(done.stdout)
    assert document["mode"] == "user namespace"
    assert "runs in a user namespace; missing: " in done.stderr
    (experiment,) = document["experiments"]
    assert experiment["result"] == "passed" or "user namespaces are refused" in experiment["why"]


@needs_root
def test_a_wait_that_is_in_vain_says_what_it_waited_for() -> None:
    with pytest.raises(NeverHappenedError, match=r"waited 0\.01 s for rain, in vain"):
        until(lambda: False, "rain", 0.01)


@needs_root
def test_a_setting_that_the_kernel_does_not_take_is_not_available() -> None:
    from halfopen.errors import NotAvailableError

    host = Namespace("host")
    with pytest.raises(NotAvailableError, match=r"net\.ipv4\.tcp_nonesuch"):
        host.set_sysctl("net.ipv4.tcp_nonesuch", 1)
    host.close()
