"""No all-clear where nothing was read: an empty /proc, no netlink, and documents that lack what matters."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.conftest import PROGRAM, ROOT, environment
from tests.unit.rules.notation import snapshots

from halfopen.collect.document import encode

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Halfopen

WHOLE, _ = snapshots({"now": {"sysctls": {"tcp_syncookies": 1}, "counters": {"ListenDrops": 0}}})
REFUSING = (sys.executable, str(ROOT / "tests/refusing_sockets.py"), "sock_diag", str(errno.EPERM))
#: And a network of its own: what the rest of this machine does is no matter here.
EMPTY_PROC = ("unshare", "--mount", "--net", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="another /proc for a process needs root")


def within(place: tuple[str, ...], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*place, str(PROGRAM), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment())


@NEEDS_ROOT
@pytest.mark.parametrize("arguments", [(), ("--format", "markdown"), ("--for", "50ms"), ("--fail-on", "critical")])
def test_a_host_that_shows_nothing_is_not_called_fine(arguments: tuple[str, ...]) -> None:
    done = within(EMPTY_PROC, "doctor", *arguments)
    assert done.returncode == 5
    text = " ".join(done.stdout.split())
    assert "This host could not be examined: too little was read to say whether connections fail." in text
    assert "Not seen: counters and settings of the host; other network namespaces." in text
    assert "Nothing is" not in text
    assert "halfopen: cannot examine this host: not seen: counters and settings of the host" in done.stderr


@NEEDS_ROOT
def test_its_snapshot_says_so_when_it_is_taken_and_when_it_is_judged(tmp_path: Path) -> None:
    file = str(tmp_path / "a.json")
    done = within(EMPTY_PROC, "snapshot", "-o", file)
    assert done.returncode == 5
    assert "cannot examine this host" in done.stderr
    judged = within((), "doctor", "--snapshot", file, "--format", "json")
    assert judged.returncode == 3
    found = json.loads(judged.stdout)
    assert (found["examined"], found["unseen"][0]) == (False, "counters and settings of the host")


def test_refused_sockets_are_not_called_none() -> None:
    done = within(REFUSING, "doctor", "--netns", "own")
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert "1 network namespace, and no sockets were read." in text
    assert "0 listeners" not in text
    assert "Not seen: sockets of the host" in text
    assert "Nothing is wrong with connections, as far as this host shows" not in text
    found = json.loads(within(REFUSING, "doctor", "--netns", "own", "--format", "json").stdout)
    assert (found["listeners"], found["sockets"], found["examined"]) == (None, None, True)


def test_ports_that_could_not_be_counted_are_not_called_free() -> None:
    done = within(REFUSING, "ports", "--netns", "own")
    assert done.returncode == 5
    assert "nothing is known of the ports that they take" in " ".join(done.stdout.split())
    assert "cannot examine this host: not seen: sockets of the host" in done.stderr
    found = json.loads(within(REFUSING, "ports", "--netns", "own", "--format", "json").stdout)
    assert found["netns"][0]["destinations"] is None


def test_a_snapshot_of_refused_sockets_does_not_count_them() -> None:
    done = within(REFUSING, "snapshot", "--netns", "own", "-o", "/dev/null")
    assert done.returncode == 0
    assert "1 network namespace, no sockets" in done.stderr


@pytest.mark.parametrize("fail_on", ["never", "critical"])
def test_a_document_without_what_matters(halfopen: Halfopen, tmp_path: Path, fail_on: str) -> None:
    (tmp_path / "a.json").write_bytes(encode(replace(WHOLE, netns=())))
    done = halfopen("doctor", "--snapshot", "a.json", "--fail-on", fail_on)
    assert done.returncode == 3
    assert "This host could not be examined" in done.stdout
    assert done.stderr == "halfopen: cannot judge the host by a.json: not in it: every network namespace\n"


def test_a_finding_counts_though_the_rest_is_dark(halfopen: Halfopen, tmp_path: Path) -> None:
    full = {"listeners": [{"at": "0.0.0.0:80", "queue": 6, "limit": 5, "by": "app"}]}
    (tmp_path / "a.json").write_bytes(encode(snapshots({"now": full})[0]))
    done = halfopen("doctor", "--snapshot", "a.json", "--fail-on", "critical")
    assert done.returncode == 1
    assert "What was read shows 1 critical and 1 notice." in " ".join(done.stdout.split())
    assert halfopen("doctor", "--snapshot", "a.json").returncode == 3
