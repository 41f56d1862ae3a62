"""``halfopen lint`` as a process: its formats, exit codes and limits, and what it does with hostile files."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import PROGRAM, ROOT, Halfopen, environment

if TYPE_CHECKING:
    from pathlib import Path

TUNING = "# shorten TIME_WAIT\nnet.ipv4.tcp_fin_timeout = 30\nnet.ipv4.tcp_rfc1337 = 1\n"


@pytest.fixture
def tuning(tmp_path: Path) -> Path:
    path = tmp_path / "99-tuning.conf"
    path.write_text(TUNING)
    return path


def test_text_is_one_line_a_finding_and_what_to_write_instead(halfopen: Halfopen, tuning: Path) -> None:
    done = halfopen("lint", "99-tuning.conf")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("99-tuning.conf:2:1: HO203 net.ipv4.tcp_fin_timeout: TIME_WAIT always lasts 60 s")
    assert lines[1].startswith("    instead: delete the line")
    assert lines[2].startswith("99-tuning.conf:3:1: HO209")
    assert lines[2].endswith("(notice)")
    assert done.returncode == 1
    assert done.stderr == "halfopen: 1 warning and 1 notice in 1 file\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-on", "critical"), 0),
        (("--fail-on", "never"), 0),
        (("--ignore", "HO203"), 0),
        (("--ignore", "fin-timeout-is-not-time-wait", "--fail-on", "notice"), 1),
        (("--ignore", "ho203,HO209", "--fail-on", "notice"), 0),
    ],
)
def test_exit_codes(halfopen: Halfopen, tuning: Path, arguments: tuple[str, ...], code: int) -> None:
    assert halfopen("lint", "-q", tuning, *arguments).returncode == code


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "name a file to lint"),
        (("x", "--ignore", "HO999"), "there is no such check"),
        (("x", "--kernel", "new"), "--kernel new is no kernel"),
        (("--explain", "HO999"), "there is no check 'HO999'"),
    ],
)
def test_a_wrong_command_line(halfopen: Halfopen, arguments: tuple[str, ...], words: str) -> None:
    done = halfopen("lint", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_the_kernel_decides(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("net.ipv4.tcp_rto_max_ms = 1000\n")
    assert halfopen("lint", "a.conf", "--kernel", "6.1").returncode == 1
    assert halfopen("lint", "a.conf", "--kernel", "6.15").returncode == 0


def test_json(halfopen: Halfopen, tuning: Path) -> None:
    done = halfopen("lint", "--format", "json", "--kernel", "6.18", "99-tuning.conf", "missing.conf")
    document = json.loads(done.stdout)
    assert done.returncode == 3
    assert document["schema"] == "halfopen.lint/1"
    assert document["kernel"] == "6.18"
    assert document["files"] == [{"path": "99-tuning.conf", "type": "sysctl"}]
    assert document["unreadable"] == [{"path": "missing.conf", "why": "No such file or directory"}]
    first = document["findings"][0]
    assert (first["code"], first["file"], first["line"], first["column"]) == ("HO203", "99-tuning.conf", 2, 1)
    assert first["subject"] == {
        "kind": "setting", "name": "net.ipv4.tcp_fin_timeout", "netns": None, "address": None, "port": None,
        "key": "net.ipv4.tcp_fin_timeout", "process": None, "pid": None, "unit": None, "container": None,
    }  # fmt: skip
    assert first["remedy"]["changes"] == [
        {
            "kind": "file",
            "key": "99-tuning.conf:2",
            "want": "net.ipv4.tcp_fin_timeout = 60",
            "now": "net.ipv4.tcp_fin_timeout = 30",
            "netns": None,
            "command": None,
        }
    ]


def test_a_kernel_that_is_not_known_yet(halfopen: Halfopen, tuning: Path) -> None:
    done = halfopen("lint", "--kernel", "9.3", "99-tuning.conf")
    assert "halfopen: Linux 9.3 is later than 6.18: what has changed since is not known here\n" in done.stderr
    assert "later than" not in halfopen("lint", "--kernel", "6.18", "99-tuning.conf").stderr


def test_github(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "a,b.conf").write_text(TUNING)
    first, second = halfopen("lint", "--format", "github", "a,b.conf").stdout.splitlines()
    assert first.startswith(
        "::warning file=a%2Cb.conf,line=2,col=1,title=HO203 fin-timeout-is-not-time-wait::net.ipv4."
    )
    assert "%0Ainstead: " in first
    assert second.startswith("::notice file=")


def test_standard_input_and_type(tmp_path: Path) -> None:
    def lint(text: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [PROGRAM, "lint", "-", *arguments],
            input=text,
            capture_output=True,
            check=False,
            env=environment(),
            timeout=60,
        )

    assert lint(TUNING.encode()).stdout.startswith(b"-:2:1: HO203")
    assert lint(b"*filter\n-A INPUT -p tcp --syn -m limit --limit 1/s -j ACCEPT\nCOMMIT\n").returncode == 1
    assert lint(b"backlog 5\nbind :80\n", "--type", "haproxy").returncode == 0
    unknown = lint(b"some words\n")
    assert unknown.returncode == 3
    assert unknown.stderr.startswith(b"halfopen: cannot lint -: neither its name nor its content tells what it is\n")
    assert lint(b"").returncode == 3


def test_a_page(halfopen: Halfopen) -> None:
    done = halfopen("lint", "--explain", "ho203")
    assert done.stdout.startswith("HO203 fin-timeout-is-not-time-wait (warning)\n")
    assert "When it is wrong" in done.stdout


def test_a_page_for_programs(halfopen: Halfopen) -> None:
    done = halfopen("lint", "--explain", "ho203", "--format", "json")
    document = json.loads(done.stdout)
    assert document["schema"] == "halfopen.checks/1"
    assert [(one["code"], one["severity"]) for one in document["checks"]] == [("HO203", "warning")]
    assert "Remedy" in document["checks"][0]["page"]
    refused = halfopen("lint", "--explain", "ho203", "--format", "sarif")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "a page cannot be sarif" in refused.stderr


def test_an_author_may_keep_a_line(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text("# halfopen: ignore HO203\n" + TUNING.splitlines()[1] + "\n" + TUNING)
    done = halfopen("lint", "a.conf", "--ignore", "HO209,setting-duplicate")
    assert [line.split()[0] for line in done.stdout.splitlines()[::2]] == ["a.conf:4:1:"]


# --- hostile files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x7fELF\0\0\0", "it is binary"),
        ("table ip t {}".encode("utf-16"), "it is UTF-16"),
        (b"x" * 9 * 2**20, "it is larger than 8 MB"),
        (b"net.ipv4.tcp_ecn = " + b"1" * 2**20, "it has a line of 1048595 characters"),
        (b"{\n" * 2**20, "it has more than 2 million words"),
    ],
    ids=["binary", "utf-16", "large", "one line", "words"],
)
def test_what_is_no_configuration_is_one_sentence(halfopen: Halfopen, tmp_path: Path, data: bytes, words: str) -> None:
    (tmp_path / "a.nft").write_bytes(data)
    done = halfopen("lint", "a.nft")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"cannot lint a.nft: {words}" in done.stderr


@pytest.mark.parametrize("name", ["/", "missing", "/dev/zero"])
def test_what_cannot_be_read(halfopen: Halfopen, tmp_path: Path, name: str) -> None:
    done = halfopen("lint", name)
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1


def test_a_pipe_without_a_writer_is_not_waited_for(halfopen: Halfopen, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "sysctl.conf")
    done = halfopen("lint", "sysctl.conf")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "halfopen: cannot read sysctl.conf: it is a named pipe that nobody writes to\n"


@pytest.mark.parametrize("wrote_before", [True, False])
def test_a_pipe_with_a_writer_is_read(*, wrote_before: bool) -> None:
    reading, writing = os.pipe()
    parts = [TUNING[:30].encode(), TUNING[30:].encode()]
    if wrote_before:
        os.write(writing, parts.pop(0))
    with subprocess.Popen(
        [PROGRAM, "lint", f"/dev/fd/{reading}"], pass_fds=[reading], env=environment(), stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.close(reading)
        os.write(writing, b"".join(parts))
        os.close(writing)
        output, _ = process.communicate()
    assert [line.split()[1] for line in output.decode().splitlines()[::2]] == ["HO203", "HO209"]


def test_a_closed_standard_input() -> None:
    closed = subprocess.run(
        ["sh", "-c", 'exec "$0" lint - <&-', PROGRAM], env=environment(), capture_output=True, check=False
    )
    assert closed.returncode == 3
    assert closed.stderr == b"halfopen: cannot read standard input: it is closed\n"


def test_escape_sequences_and_bytes_that_are_no_text(halfopen: Halfopen, tmp_path: Path) -> None:
    hostile = b"net.ipv4.tcp_\x1b[2Jsyncookies\xff = 1\nnet.ipv4.tcp_fin_timeout = 5\xe2\x80\xae\n\xfe\x1b]0;x\x07\n"
    (tmp_path / "sysctl.conf").write_bytes(hostile)
    for format_ in ("text", "json", "github", "sarif"):
        done = halfopen("lint", "sysctl.conf", "--format", format_)
        assert done.returncode == 1
        assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout)
        if format_ in {"json", "sarif"}:
            json.loads(done.stdout)


@pytest.mark.parametrize(
    "kind", ["sysctl", "iptables", "nft", "shell", "nginx", "haproxy", "redis", "postgresql", "systemd", "dockerfile"]
)
@pytest.mark.parametrize(
    "text", ["((((((((" * 40000, "\"'`$({" * 40000, "\\\n" * 40000, "<<A <<B\n" * 20000, "{ " * 90000]
)
def test_no_format_is_slow_or_falls(halfopen: Halfopen, tmp_path: Path, kind: str, text: str) -> None:
    (tmp_path / "a").write_text(text)
    assert halfopen("lint", "-q", "--fail-on", "never", "--type", kind, "a").returncode == 0


@pytest.mark.parametrize(
    "text", ["a: [" * 100000, "a: &a [*a, *a]\nb: &b [*a, *a, *b]\n", "a: 'x\n", "- {expr: x, alert: *none}\n", "\x01"]
)
def test_yaml_that_is_none(halfopen: Halfopen, tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yml").write_text(text)
    done = halfopen("lint", "-q", "a.yml")
    assert done.returncode in {0, 3}
    assert "internal" not in done.stderr


# --- SARIF ------------------------------------------------------------------------------------------------------------

#: What OASIS SARIF 2.1.0 asks of the objects that we write: property → type, and which are required (sections 3.13 to
#: 3.51). None of these objects may have other properties.
SARIF: dict[str, tuple[dict[str, Any], set[str]]] = {
    "log": ({"$schema": str, "version": str, "runs": ["run"]}, {"version", "runs"}),
    "run": ({"tool": "tool", "columnKind": str, "results": ["result"]}, {"tool"}),
    "tool": ({"driver": "component"}, {"driver"}),
    "component": ({"name": str, "semanticVersion": str, "rules": ["rule"]}, {"name"}),
    "rule": (
        {
            "id": str,
            "name": str,
            "shortDescription": "message",
            "fullDescription": "message",
            "help": "message",
            "defaultConfiguration": "configuration",
        },
        {"id"},
    ),
    "configuration": ({"level": str}, set()),
    "message": ({"text": str, "markdown": str}, {"text"}),
    "result": (
        {
            "ruleId": str,
            "ruleIndex": int,
            "level": str,
            "message": "message",
            "partialFingerprints": "fingerprints",
            "locations": ["location"],
        },
        {"message"},
    ),
    "location": ({"physicalLocation": "physical"}, set()),
    "physical": ({"artifactLocation": "artifact", "region": "region"}, set()),
    "artifact": ({"uri": str}, set()),
    "region": ({"startLine": int, "startColumn": int, "endLine": int, "endColumn": int}, set()),
    "fingerprints": ({"primaryLocationLineHash": str}, set()),
}


def validate(value: object, kind: object, path: str) -> None:
    if isinstance(kind, list):
        assert isinstance(value, list), path
        for index, item in enumerate(value):
            validate(item, kind[0], f"{path}[{index}]")
    elif isinstance(kind, str):
        properties, required = SARIF[kind]
        assert isinstance(value, dict), path
        assert required <= set(value) <= set(properties), f"{path}: {set(value)}"
        for name, item in value.items():
            validate(item, properties[name], f"{path}.{name}")
    else:
        assert type(value) is kind, f"{path}: {value!r}"


def test_sarif(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "50% a b.conf").write_text(TUNING)
    absolute = ROOT / "tests/cases/lint/sane/redis.conf"
    done = halfopen("lint", "--format", "sarif", "50% a b.conf", absolute)
    log = json.loads(done.stdout)
    validate(log, "log", "log")
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
    first = run["results"][0]["locations"][0]["physicalLocation"]
    region = {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 25}
    assert first == {"artifactLocation": {"uri": "50%25%20a%20b.conf"}, "region": region}
    # What GitHub asks for besides.
    for rule in rules:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]


def fingerprints(done: subprocess.CompletedProcess[str]) -> list[str]:
    (run,) = json.loads(done.stdout)["runs"]
    return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]


def test_fingerprints_stay_when_lines_move(halfopen: Halfopen, tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text(TUNING + TUNING)
    before = fingerprints(halfopen("lint", "--format", "sarif", "a.conf"))
    assert len(set(before)) == len(before)
    (tmp_path / "a.conf").write_text("# more\n\n" + TUNING + TUNING)
    assert fingerprints(halfopen("lint", "--format", "sarif", "a.conf")) == before
