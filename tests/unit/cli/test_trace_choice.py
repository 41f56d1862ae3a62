"""``--where``, ``--since``, ``--until``, ``--sort``, ``--top``: which handshakes count and are shown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.conftest import ROOT, Halfopen

LOSSY = ROOT / "tests" / "captures" / "lab" / "lossy_many.client.pcap"
#: The capture's first packet is older than its first handshake.
FIRST_PACKET = "2026-11-22T10:51:34.8"


def records(halfopen: Halfopen, *arguments: str) -> list[dict[str, Any]]:
    done = halfopen("trace", LOSSY, "--format", "jsonl", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def summary(halfopen: Halfopen, *arguments: str) -> dict[str, Any]:
    done = halfopen("trace", LOSSY, "--format", "json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_where_counts_and_prints_the_same(halfopen: Halfopen) -> None:
    chosen = [row for row in records(halfopen) if row["syn_sent"] > 1]
    assert records(halfopen, "--where", "syn_sent > 1") == chosen
    counted = summary(halfopen, "--where", "syn_sent > 1")
    assert counted["handshakes"] == len(chosen) == 70
    assert counted["filter"] == "syn_sent > 1"
    assert counted["packets"] == 5172, "what was read does not depend on what is chosen"


def test_since_and_until_by_the_clock(halfopen: Halfopen) -> None:
    everything = records(halfopen)
    border = everything[100]["start_ns"]
    moment = f"{border // 10**9}.{border % 10**9:09}"
    assert records(halfopen, "--since", moment) == [row for row in everything if row["start_ns"] >= border]
    assert records(halfopen, "--until", moment) == [row for row in everything if row["start_ns"] < border]
    assert records(halfopen, "--since", "2026-11-22T10:51:36Z", "--until", "2026-11-22 10:51:37") == [
        row for row in everything if 1_795_344_696 * 10**9 <= row["start_ns"] < 1_795_344_697 * 10**9
    ]


def test_since_and_until_from_the_first_packet(halfopen: Halfopen) -> None:
    first = summary(halfopen)["start_ns"]
    everything = records(halfopen)
    assert records(halfopen, "--since", "+1s500ms", "--until", "+2s") == [
        row for row in everything if first + 1_500_000_000 <= row["start_ns"] < first + 2_000_000_000
    ]
    only = summary(halfopen, "--since", "+1s500ms", "--until", "2026-11-22T10:51:37.25Z", "--where", "syn_sent == 2")
    assert only["filter"] == (
        "syn_sent == 2; begun from 1.5 s after the first packet on and before 2026-11-22 10:51:37.25 UTC"
    )


def test_the_screen_says_what_was_chosen(halfopen: Halfopen) -> None:
    shown = halfopen("trace", LOSSY, "--where", 'outcome == "refused"').stdout
    assert shown.startswith("No handshake in this capture fits what was asked for.\n")
    assert 'Only      outcome == "refused"\n' in shown


@pytest.mark.parametrize(
    ("arguments", "talk"),
    [
        (
            ["--where", "syn_sent > 1 and fooo == 3"],
            "halfopen: cannot understand the condition at column 18: there is no field fooo\n"
            "  syn_sent > 1 and fooo == 3\n"
            "                   ^\n",
        ),
        (
            ["--where", "outcome = 'x'"],
            "halfopen: cannot understand the condition at column 9: equality is `==`\n  outcome = 'x'\n          ^\n",
        ),
        (
            ["--sort", "-handshak_us"],
            "halfopen: cannot sort by -handshak_us: there is no field handshak_us; did you mean handshake_us?\n",
        ),
        (["--sort", "vlan"], "halfopen: cannot sort by vlan: it holds more than one value\n"),
    ],
)
def test_the_fault_is_marked(halfopen: Halfopen, arguments: list[str], talk: str) -> None:
    done = halfopen("trace", LOSSY, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", talk)


def test_of_a_long_condition_the_neighbourhood_is_shown(halfopen: Halfopen) -> None:
    condition = " and ".join(["syn_sent > 1"] * 30) + " and \x1b[2J == 3"
    done = halfopen("trace", LOSSY, "--where", condition)
    text, mark = done.stderr.splitlines()[1:3]
    assert len(text) < 140
    assert "\x1b" not in text
    assert text[mark.index("^") :].startswith("\\x1b[2J")


@pytest.mark.parametrize("field", ["handshake_us", "-handshake_us", "client_port", "-client_options.mss", "number"])
def test_sorted_records(halfopen: Halfopen, field: str) -> None:
    name, largest_first = field.removeprefix("-"), field.startswith("-")

    def key(row: dict[str, Any]) -> Any:  # noqa: ANN401
        value: Any = row
        for part in name.split("."):
            value = value[part]
        return value

    expected = sorted(map(key, records(halfopen)), reverse=largest_first)
    assert [key(row) for row in records(halfopen, "--sort", field)] == expected
    assert [key(row) for row in records(halfopen, "--sort", field, "--top", "7")] == expected[:7]


def test_top_alone_is_the_earliest(halfopen: Halfopen) -> None:
    assert [row["number"] for row in records(halfopen, "--top", "3")] == [1, 2, 3]


def test_the_screen_lists_in_the_order_that_was_asked_for(halfopen: Halfopen) -> None:
    shown = halfopen("trace", LOSSY, "--sort", "-retransmit_wait_us", "--top", "3").stdout
    block = shown[shown.index("Handshakes  ") :].split("\n\n")[0].splitlines()
    assert block[0] == "Handshakes  3 of 400, by retransmit_wait_us, largest first"
    assert block[1].split()[:2] == ["number", "retransmit_wait_us"]
    assert [line.split()[0] for line in block[2:]] == ["394", "369", "385"]
    assert "Slowest" not in shown
    assert shown.endswith("--ladder 394\n")
    assert "hint:" not in halfopen("trace", LOSSY, "--quiet").stdout


def test_json_has_the_sorted_records(halfopen: Halfopen) -> None:
    listed = summary(halfopen, "--sort", "-handshake_us", "--top", "2")["records"]
    assert [row["number"] for row in listed] == [394, 369]
    assert "records" not in summary(halfopen)


def test_top_is_the_rows_of_each_table(halfopen: Halfopen) -> None:
    shown = halfopen("trace", LOSSY, "--top", "2").stdout
    slowest = shown[shown.index("Slowest") :].split("\n\n")[0].splitlines()
    assert len(slowest) == 2 + 2
