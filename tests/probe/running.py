"""Runs ``halfopen probe`` in the near namespace and takes its answer apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from tests.probe.network import Pair


def records(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """Of ``--format jsonl``."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def document(net: Pair, *arguments: str | Path, hosts: Path | None = None) -> tuple[dict[str, Any], int]:
    """The object, and the exit code."""
    done = net.near.halfopen("probe", "--format", "json", *arguments, hosts=hosts)
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["schema"] == "halfopen.probe/1"
    assert found["reachable"] is (done.returncode == 0)
    return found, done.returncode


def one(net: Pair, *arguments: str) -> tuple[dict[str, Any], int, str]:
    """The record of a single connect, the exit code, and what was said of it."""
    found, code = document(net, *arguments)
    (attempt,) = found["attempts"]
    return attempt, code, "; ".join(attempt["probe"]["explanation"])
