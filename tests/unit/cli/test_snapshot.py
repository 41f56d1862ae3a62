"""``halfopen snapshot`` as a process."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

from halfopen.collect import load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Halfopen


def test_the_document_goes_to_standard_output(halfopen: Halfopen) -> None:
    done = halfopen("snapshot", "--netns", "own")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["schema"] == "halfopen.snapshot/1"
    assert found["netns"][0]["sysctls"]["net.ipv4.tcp_syncookies"] in {"0", "1", "2"}
    assert {run["name"] for run in found["collectors"]} >= {"facts", "sysctls", "sockets"}
    assert all(line.startswith("halfopen: not available: ") for line in done.stderr.splitlines())


def test_a_file_is_private_whole_and_compressed_by_its_name(halfopen: Halfopen, tmp_path: Path) -> None:
    for name in ("a.json", "b.json.gz"):
        (tmp_path / name).write_text("old")
        (tmp_path / name).chmod(0o644)
        done = halfopen("snapshot", "--netns", "own", "-o", name)
        assert (done.returncode, done.stdout) == (0, "")
        assert f"halfopen: wrote {name}: 1 network namespace, " in done.stderr
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert load(tmp_path / name).netns[0].own
    assert (tmp_path / "b.json.gz").read_bytes().startswith(b"\x1f\x8b")
    assert {path.name for path in tmp_path.iterdir()} == {"a.json", "b.json.gz"}


def test_quiet_says_nothing(halfopen: Halfopen) -> None:
    assert halfopen("snapshot", "--quiet", "--netns", "own", "-o", "a.json").stderr == ""


def test_only_some_collectors(halfopen: Halfopen) -> None:
    found = json.loads(halfopen("snapshot", "--netns", "own", "--only", "counters", "--only", "sockstat").stdout)
    assert [run["name"] for run in found["collectors"]] == ["facts", "counters", "sockstat"]
    assert found["netns"][0]["sysctls"] == {}


def test_an_unknown_collector_is_a_usage_error(halfopen: Halfopen) -> None:
    done = halfopen("snapshot", "--only", "weather")
    assert done.returncode == 2
    assert done.stderr.startswith("halfopen: there is no collector weather: there are facts, ")


def test_a_file_that_cannot_be_written(halfopen: Halfopen, tmp_path: Path) -> None:
    done = halfopen("snapshot", "--netns", "own", "-o", tmp_path / "no/such/directory.json")
    assert done.returncode == 3
    assert "No such file or directory" in done.stderr


def test_a_library_function(tmp_path: Path) -> None:
    import halfopen

    assert isinstance(halfopen.snapshot(only={"facts"}), halfopen.Snapshot)
