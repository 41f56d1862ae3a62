"""``halfopen trace --report``: where the page goes, and what happens to what was there."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import PROGRAM, ROOT, Halfopen, environment

LAB = ROOT / "tests" / "captures" / "lab"
LOSSY = LAB / "lossy_many.client.pcap"
TFO = LAB / "tfo.pcap"


def data_of(page: Path) -> dict[str, Any]:
    """What the page carries."""
    text = page.read_text(encoding="utf-8")
    start = text.index(">", text.index('id="report-data"')) + 1
    data: dict[str, Any] = json.loads(text[start : text.index("</script>", start)])
    return data


def test_the_page_is_written_and_the_text_still_printed(halfopen: Halfopen, tmp_path: Path) -> None:
    done = halfopen("trace", LOSSY, "--report", "report.html")
    assert (done.returncode, done.stderr) == (0, "halfopen: the report is in report.html\n")
    assert done.stdout == halfopen("trace", LOSSY).stdout
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]
    data = data_of(tmp_path / "report.html")
    assert data["handshakes"] == 400
    assert len(data["slowest"]) == 200
    assert data["vantage_sentence"].startswith("Captured at or near the client: ")
    assert data["notices"][0]["text"].startswith("70 of 400 connects to 10.77.2.2:8000 waited")


def test_the_ladders_are_those_of_the_worst(halfopen: Halfopen, tmp_path: Path) -> None:
    halfopen("trace", LOSSY, "--report", "report.html")
    ladders = data_of(tmp_path / "report.html")["ladders"]
    assert 1 < len(ladders) <= 12
    assert ladders[0]["title"] == "No. 394: 10.77.1.2:55120 → 10.77.2.2:8000, established in 2.11 s"
    syns = [sum(row["flags"] == "SYN" for row in ladder["rows"]) for ladder in ladders]
    assert {3, 2} <= set(syns), "of handshakes that look alike, few are drawn"


def test_json_does_not_depend_on_the_report(halfopen: Halfopen) -> None:
    plain = json.loads(halfopen("trace", LOSSY, "--format", "json").stdout)
    assert json.loads(halfopen("trace", LOSSY, "--format", "json", "--report", "r.html").stdout) == plain


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_records_and_a_report_in_one_run(halfopen: Halfopen, tmp_path: Path, format_: str) -> None:
    done = halfopen("trace", TFO, "--format", format_, "--report", "r.html", "-q")
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == 4 + (format_ == "csv")
    assert data_of(tmp_path / "r.html")["handshakes"] == 4


def piped(*arguments: str, cwd: Path, data: bytes) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [PROGRAM, *arguments], input=data, capture_output=True, check=False, cwd=cwd, env=environment(), timeout=60
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_pipe_is_read_twice(tmp_path: Path) -> None:
    done = piped("trace", "-", "--report", "r.html", cwd=tmp_path, data=TFO.read_bytes())
    assert (done.returncode, done.stderr) == (0, "halfopen: the report is in r.html\n")
    data = data_of(tmp_path / "r.html")
    assert [source["path"] for source in data["inputs"]] == ["-"]
    assert len(data["ladders"]) == 4


def test_a_redirected_file_is_read_twice_from_where_it_stands(tmp_path: Path) -> None:
    behind = tmp_path / "behind"
    behind.write_bytes(b"a header of its own" + TFO.read_bytes())
    descriptor = os.open(behind, os.O_RDONLY)
    try:
        os.lseek(descriptor, len(b"a header of its own"), os.SEEK_SET)
        done = subprocess.run(
            [PROGRAM, "trace", "-", "--report", "r.html"],
            stdin=descriptor,
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env=environment(),
            timeout=60,
        )
    finally:
        os.close(descriptor)
    assert done.returncode == 0
    assert len(data_of(tmp_path / "r.html")["ladders"]) == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_no_room_for_the_copy_of_a_pipe_is_said(tmp_path: Path) -> None:
    """A temporary folder that does not exist is the same to the program as one without room."""
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; trap "" XFSZ; cat "$1" | "$0" trace - --report r.html', PROGRAM, LOSSY],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment(),
        timeout=60,
    )
    assert done.returncode == 3
    assert "cannot write a temporary copy of standard input: File too large" in done.stderr


def test_what_was_there_stays_when_it_fails(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("the old one")
    assert halfopen("trace", "none.pcap", "--report", "report.html").returncode == 3
    assert halfopen("trace", LOSSY, "--where", "nonsense ==", "--report", "report.html").returncode == 2
    assert (tmp_path / "report.html").read_text() == "the old one"
    assert list(tmp_path.iterdir()) == [tmp_path / "report.html"]


def test_what_was_there_is_replaced_through_a_link(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "real.html").write_text("the old one")
    (tmp_path / "link.html").symlink_to("real.html")
    assert halfopen("trace", TFO, "--report", "link.html").returncode == 0
    assert (tmp_path / "link.html").is_symlink()
    assert data_of(tmp_path / "real.html")["handshakes"] == 4


def test_the_page_has_the_permissions_of_any_new_file(halfopen: Halfopen, tmp_path: Path) -> None:
    halfopen("trace", TFO, "--report", "r.html")
    (tmp_path / "other").touch()
    assert (tmp_path / "r.html").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize(("name", "why"), [("none/r.html", "No such file or directory"), (".", "it is a directory")])
def test_a_place_that_cannot_be_written(halfopen: Halfopen, name: str, why: str) -> None:
    done = halfopen("trace", TFO, "--report", name)
    assert (done.returncode, done.stdout) == (3, ""), "found out before the work is done"
    assert done.stderr == f"halfopen: cannot write {name}: {why}\n"


def test_standard_output_is_taken(halfopen: Halfopen) -> None:
    done = halfopen("trace", TFO, "--report", "-")
    assert (done.returncode, done.stderr.split(":")[1]) == (2, " --report needs the name of a file")


def test_a_hostile_name_stays_text(halfopen: Halfopen, tmp_path: Path) -> None:
    name = "</script><script>alert(1)</script>\x1b[2J\udcff.pcap".replace("/", "\u2215")
    hostile = tmp_path / name
    hostile.write_bytes(TFO.read_bytes())
    done = halfopen("trace", hostile, "--report", tmp_path / f"{name}.html")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    page = (tmp_path / f"{name}.html").read_text(encoding="utf-8")
    assert page.count("<script") == 2
    assert "alert(1)" in data_of(tmp_path / f"{name}.html")["inputs"][0]["path"]


def test_records_replace_a_file_only_when_they_are_complete(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("the old ones")
    assert halfopen("trace", "none.pcap", "--format", "csv", "-o", "r.csv").returncode == 3
    assert halfopen("trace", TFO, "--format", "csv", "-o", "r.csv", "--where", "x == 1").returncode == 2
    assert (tmp_path / "r.csv").read_text() == "the old ones"
    assert halfopen("trace", TFO, "--format", "csv", "-o", "r.csv").returncode == 0
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 5
    assert list(tmp_path.iterdir()) == [tmp_path / "r.csv"]


def test_records_go_to_what_is_no_file(halfopen: Halfopen) -> None:
    assert len(halfopen("trace", TFO, "--format", "jsonl", "-o", "/dev/stdout").stdout.splitlines()) == 4
    done = halfopen("trace", TFO, "--format", "jsonl", "-o", "/dev/full")
    assert (done.returncode, done.stderr) == (3, "halfopen: cannot write /dev/full: No space left on device\n")


def test_a_pipe_with_a_name_is_not_waited_for(halfopen: Halfopen, tmp_path: Path) -> None:
    """It cannot be read a second time: nobody would write into it again."""
    os.mkfifo(tmp_path / "pipe")
    done = halfopen("trace", "pipe", "--report", "report.html")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "halfopen: --report reads captures twice, and pipe is a pipe: give it as standard input, -\n"
    )
