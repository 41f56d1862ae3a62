"""What ``halfopen probe`` refuses, and with which words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from halfopen.cli.commands import probe
from halfopen.cli.probe_options import ProbeOptions
from halfopen.errors import UsageError

if TYPE_CHECKING:
    from tests.conftest import Halfopen


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "missing argument"),
        (["host:0"], "'0' is no port: 1 to 65535 are"),
        (["https://host/"], "is a URL, not a target"),
        (["-c", "0", "host"], "0 is not in the range x>=1"),
        (["-i", "soon", "host"], "'soon' is no duration: 200ms, 1.5s, 5min and 1h30m are"),
        (["-i", "9" * 400, "host"], "is no duration"),
        (["-c", "1.5", "host"], "'1.5' is no whole number"),
        (["-i", "1s", "--rate", "3", "host"], "-i and --rate say the same thing"),
        (["--rate", "0", "host"], "not in the range"),
        (["--rate", "1e9", "host"], "--rate 1e+09 is out of range: up to 1000 a second"),
        (["--timeout", "0", "host"], "--timeout 0 s is out of range: more than nothing, and a day at most"),
        (["--timeout", "1e9", "host"], "is no duration"),
        (["--timeout", "1000000", "host"], "--timeout 1e+06 s is out of range"),
        (["-4", "-6", "host"], "-4 and -6 exclude each other"),
        (["--send", "x", "host"], "--send is for --await-data or --fast-open"),
        (["--send", r"\q", "--await-data", "host"], "holds an unknown escape"),
        (["--ttl", "256", "host"], "256 is not in the range 1<=x<=255"),
        (["--mss", "87", "host"], "87 is not in the range 88<=x<=32767"),
        (["--source", "nosuch0", "127.0.0.1:1"], "neither a local address nor an interface"),
        (["--source", "a-name-too-long-for-one", "127.0.0.1:1"], "neither a local address nor an interface"),
        (["--source", "::1", "127.0.0.1:1"], "the source ::1 cannot reach an IPv4 address"),
        (["--source", "192.0.2.77", "127.0.0.1:1"], "bind 192.0.2.77:0: this host has no such address"),
        (["--interface", "nosuch0", "127.0.0.1:1"], "SO_BINDTODEVICE nosuch0: there is no such interface"),
        (["--watch", "--format", "json", "host"], "--watch has no end"),
        (["-c", "100001", "--format", "json", "host"], "holds all connects until the end"),
        (["--explain", "--format", "jsonl", "host"], "--explain writes sentences"),
        (["--format", "xml", "host"], "'xml' is not one of"),
    ],
)
def test_a_wrong_command_line(halfopen: Halfopen, arguments: list[str], words: str) -> None:
    done = halfopen("probe", *arguments)
    assert done.returncode == 2
    assert done.stdout in {"", "127.0.0.1:1\n"}  # nothing was measured
    first = done.stderr.splitlines()[0]
    assert first.startswith("halfopen: ")
    assert words.lower() in first.lower()
    assert "Traceback" not in done.stderr


def test_a_missing_file_of_targets(halfopen: Halfopen) -> None:
    done = halfopen("probe", "@nosuch")
    assert done.returncode == 3
    assert "cannot read the targets of nosuch: No such file or directory" in done.stderr


def test_every_option_has_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {parameter.name for parameter in probe.command.params} - {"format", "quiet", "color", "help"}
    assert names == set(ProbeOptions.__dataclass_fields__)


def plan(format_: str = "text", **more: Any) -> Any:  # noqa: ANN401
    return ProbeOptions(targets=("host",), **more).plan(format_)


def test_a_run_has_one_round_unless_watched() -> None:
    assert plan().count == 1
    assert plan(count=7).count == 7
    assert plan(watch=True).count is None
    assert plan(watch=True, count=7, format_="json").count == 7
    assert plan("jsonl", watch=True).count is None


def test_families_and_addresses() -> None:
    assert (plan().family, plan(ipv4=True).family, plan(ipv6=True).family) == ("any", "ipv4", "ipv6")
    assert plan(all_addresses=True).every_address


@pytest.mark.parametrize("name", ["source_port", "ttl", "mss", "syn_retries"])
def test_the_library_refuses_too(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} cannot be 0"):
        ProbeOptions(targets=("host",), **{name: 0}).plan("text")  # type: ignore[arg-type]


def test_the_help_is_short_enough_to_read() -> None:
    text = CliRunner().invoke(probe.command, ["--help"], obj=None).output
    assert re.search(r"--await-data +After the handshake", text)
