"""``halfopen trace`` on what is no capture: one clear sentence on stderr, the documented code, nothing on stdout."""

from __future__ import annotations

import csv
import io
import json
import os
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.conftest import PROGRAM, ROOT, environment
from tests.parity.containers import gzip_members, pcap, section, zstd_frames
from tests.parity.layers import IPV4, ethernet, ipv4, udp

from halfopen.capture.trace import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Halfopen

GOOD = ROOT / "tests/captures/lab/refused.pcap"
WHOLE = GOOD.read_bytes()
FORMATS = ["text", "json", "jsonl", "csv", "parquet"]
NOT_A_CAPTURE = "it is not a capture (pcap or pcapng, plain or compressed with gzip or zstd)"

#: What the file `input` is made of, and what is said of it.
REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty"),
    "text": (b"just some words, no capture at all\n", NOT_A_CAPTURE),
    "one byte": (b"\xd4", NOT_A_CAPTURE),
    "zeros": (bytes(4096), NOT_A_CAPTURE),
    "ELF": (b"\x7fELF\x02\x01\x01" + bytes(60), NOT_A_CAPTURE),
    "header cut off": (WHOLE[:20], "it is cut off inside its file header"),
    "text in gzip": (gzip_members(b"just some words\n"), NOT_A_CAPTURE),
    "text in zstd": (zstd_frames(b"just some words\n"), NOT_A_CAPTURE),
    "nothing in gzip": (gzip_members(b""), "it is empty"),
    "damaged gzip": (b"\x1f\x8b\x08" + b"\xff" * 40, "its compression is damaged from the start"),
}


def assert_sentence(done: subprocess.CompletedProcess[str], code: int, sentence: str) -> None:
    """That, a hint perhaps, and nothing else."""
    assert done.returncode == code
    assert done.stdout == ""
    first, *rest = done.stderr.splitlines()
    assert first == f"halfopen: {sentence}"
    assert all(line.startswith("hint: ") for line in rest)
    assert len(rest) <= 1


@pytest.mark.parametrize("what", REFUSED)
def test_no_capture(halfopen: Halfopen, tmp_path: Path, what: str) -> None:
    content, why = REFUSED[what]
    (tmp_path / "input").write_bytes(content)
    assert_sentence(halfopen("trace", "input"), 3, f"cannot read input: {why}")


@pytest.mark.parametrize("form", FORMATS)
def test_a_missing_file_in_every_format(halfopen: Halfopen, form: str) -> None:
    done = halfopen("trace", "gone.pcap", "--format", form)
    assert_sentence(done, 3, "cannot read gone.pcap: there is no such file")


def test_a_directory(halfopen: Halfopen, tmp_path: Path) -> None:
    assert_sentence(halfopen("trace", tmp_path), 3, f"cannot read {tmp_path}: it is a directory")


def test_a_link_that_leads_nowhere(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    done = halfopen("trace", "loop")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("halfopen: cannot read loop: ")


def test_nothing_on_standard_input(halfopen: Halfopen) -> None:
    assert_sentence(halfopen("trace", "-"), 3, "cannot read standard input: it is empty")


#: Root may read everything: so the program is loaded, gives that up, and reads.
AS_NOBODY = """
import os, sys
from halfopen.cli import main
assert main.run(["trace", sys.argv[1], "--format", "jsonl", "-o", os.devnull]) == 0
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main.run(["trace", sys.argv[2]]))
"""


def test_no_permission(tmp_path: Path) -> None:
    secret = tmp_path / "secret.pcap"
    secret.write_bytes(WHOLE)
    secret.chmod(0)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)  # pytest's own are for their owner
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, GOOD, secret], capture_output=True, text=True, check=False, env=environment()
    )
    assert_sentence(done, 3, f"cannot read {secret}: permission denied")
    assert "chmod" in done.stderr


def test_no_output_file_is_left_behind(halfopen: Halfopen, tmp_path: Path) -> None:
    for form in FORMATS:
        assert halfopen("trace", "gone.pcap", "--format", form, "-o", "result").returncode == 3
        assert not (tmp_path / "result").exists()


# --- several inputs ------------------------------------------------------------------------------------------------


def test_the_others_are_read(halfopen: Halfopen) -> None:
    done = halfopen("trace", "gone.pcap", GOOD, "--format", "json")
    assert done.returncode == 3
    assert done.stderr == "halfopen: cannot read gone.pcap: there is no such file; the others were read\n"
    summary = json.loads(done.stdout)
    assert summary["outcomes"] == {"refused": 2}
    assert [(each["path"], each["failure"]) for each in summary["inputs"]] == [
        ("gone.pcap", "there is no such file"),
        (str(GOOD), None),
    ]


def test_none_of_several(halfopen: Halfopen) -> None:
    assert_sentence(halfopen("trace", "gone.pcap", "away.pcap"), 3, "cannot read gone.pcap: there is no such file")


# --- captures with nothing in them -----------------------------------------------------------------------------------

DATAGRAM = ethernet(IPV4, ipv4(17, udp(53, b"no TCP in here")))
NOTHING: dict[str, tuple[Callable[[], bytes], str]] = {
    "pcap without packets": (lambda: pcap([]), "No packet in this capture."),
    "pcapng without packets": (lambda: section([]), "No packet in this capture."),
    "UDP": (lambda: pcap([(10**18, DATAGRAM)]), "No TCP in this capture: 1 packet read."),
    "unknown link type": (lambda: pcap([(10**18, DATAGRAM)], 147), "No TCP in this capture: 1 packet read."),
}


@pytest.mark.parametrize("what", NOTHING)
def test_nothing_to_show_is_said_and_shown(halfopen: Halfopen, tmp_path: Path, what: str) -> None:
    """The sentence is printed with --quiet, too: it explains the exit code (ADR 19)."""
    write, sentence = NOTHING[what]
    (tmp_path / "input").write_bytes(write())
    complaint = f"halfopen: there {'are no packets' if 'packets' in what else 'is no TCP'} in input\n"
    done = halfopen("trace", "input")
    assert (done.returncode, done.stderr) == (3, complaint)
    assert done.stdout.splitlines()[0] == sentence
    lines = halfopen("trace", "input", "--quiet", "--format", "jsonl")
    assert (lines.returncode, lines.stdout, lines.stderr) == (3, "", complaint)


def test_one_capture_of_several_without_tcp(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "udp.pcap").write_bytes(pcap([(10**18, DATAGRAM)]))
    done = halfopen("trace", "udp.pcap", GOOD)
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_link_type_is_said(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(pcap([(10**18, DATAGRAM)], 147))
    (source,) = json.loads(halfopen("trace", "input", "--format", "json").stdout)["inputs"]
    assert source["defects"] == {"unknown_link_type": 1}


# --- captures that are damaged ------------------------------------------------------------------------------


def test_a_file_that_is_cut_off(halfopen: Halfopen, tmp_path: Path) -> None:
    """Nothing before the end is lost, and it is said."""
    (tmp_path / "cut.pcap").write_bytes(WHOLE[:-10])
    done = halfopen("trace", "cut.pcap")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 file ends inside a record (cut off, or still being written)" in done.stdout
    assert "9 packets" in done.stdout


def test_a_record_in_the_middle_is_damaged(halfopen: Halfopen, tmp_path: Path) -> None:
    first = 24 + 16 + struct.unpack_from("<I", WHOLE, 32)[0]
    (tmp_path / "hole.pcap").write_bytes(WHOLE[: first + 8] + b"\xff" * 8 + WHOLE[first + 16 :])
    done = halfopen("trace", "hole.pcap", "--format", "json")
    summary = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert summary["outcomes"] == {"refused": 2}
    assert summary["inputs"][0]["defects"] == {"corrupt_record": 1}


# --- hostile names ---------------------------------------------------------------------------------------------------

NAMES = {
    "escape sequence": b"\x1b[31mred\x1b]0;title\x07.pcap",
    "new line": b"two\nhalfopen: lines.pcap",
    "carriage return": b"over\rwritten.pcap",
    "not UTF-8": b"latin\xe9\xff.pcap",
    "right to left": "\u202egnp.pcap".encode(),
    "one-byte control": b"\x9b31mc1.pcap",
    "markup": b"[red]<script>alert(1)&amp;.pcap",
    "quotes": b"a\"b'c,d;e$(f)`g`.pcap",
}


def run_raw(folder: Path, *arguments: bytes | str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([PROGRAM, *arguments], capture_output=True, check=False, cwd=folder, env=environment())


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_hostile_name_reaches_no_terminal(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(WHOLE)
    shown = run_raw(tmp_path, "trace", name)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert not has_control(shown.stdout)
    path.unlink()
    missed = run_raw(tmp_path, "trace", name)
    assert (missed.returncode, missed.stdout, missed.stderr.count(b"\n")) == (3, b"", 1)
    assert not has_control(missed.stderr)


def has_control(shown: bytes) -> bool:
    """What could move a cursor, change a colour or reorder the line."""
    text = shown.decode()
    return any(not (character.isprintable() or character == "\n") for character in text)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_hostile_name_in_data(tmp_path: Path, name: bytes) -> None:
    """Valid UTF-8, and the name as it is, with what is no text replaced."""
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(WHOLE)
    lines, table = tmp_path / "jsonl", tmp_path / "csv"
    summary = read([str(path)], records="jsonl", output=str(lines)).summary
    read([str(path)], records="csv", output=str(table))
    wanted = os.fsencode(path).decode(errors="replace")
    assert summary.inputs[0].path == wanted
    assert {json.loads(line)["source"] for line in lines.read_bytes().splitlines()} == {wanted}
    text = table.read_bytes().decode()
    rows = csv.DictReader(io.StringIO(text, newline=""))
    assert {unescaped(row["source"]) for row in rows} == {wanted}
    assert not has_control(text.replace("\r", "").encode())  # ends of lines, within quotes


def unescaped(cell: str) -> str:
    """A CSV file is looked at in a terminal, too: what would act there is written as in JSON."""
    return str(json.loads(f'"{cell}"')) if "\\u" in cell else cell
