"""Screens of comparisons against committed ones: ``tests/cases/against/NAME.json`` and ``NAME.WIDTH.txt``.

``HALFOPEN_UPDATE_SNAPSHOTS=1`` rewrites them.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from halfopen.model.against import SCHEMA, Against, Compared
from halfopen.render.against import against_object, render_against

CASES = Path(__file__).parents[2] / "cases" / "against"
NAMES = sorted(path.stem for path in CASES.glob("*.json"))
WIDTHS = (60, 100)
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def comparison(name: str, **changes: Any) -> Against:  # noqa: ANN401
    return Against.from_json(document(name) | changes)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_screen(name: str, width: int) -> None:
    screen = render_against(comparison(name), width=width, top=5)
    golden = CASES / f"{name}.{width}.txt"
    if os.environ.get("HALFOPEN_UPDATE_SNAPSHOTS"):
        golden.write_text(screen, encoding="utf-8")
    assert screen == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_it_fits(name: str, width: int) -> None:
    assert all(len(line) <= width for line in render_against(comparison(name), width=width).splitlines())


@pytest.mark.parametrize("name", NAMES)
def test_color_only_repeats_what_the_words_say(name: str) -> None:
    colored = render_against(comparison(name), width=80, color=True)
    assert COLOR.search(colored)
    assert COLOR.sub("", colored) == render_against(comparison(name), width=80)


@pytest.mark.parametrize("name", NAMES)
def test_the_unknown_is_never_called_none_or_zero(name: str) -> None:
    assert not re.search(r"\b(None|nan|null)\b", render_against(comparison(name), width=120))


def test_hostile_names_are_escaped() -> None:
    inputs = {"a": [{"path": "a\x1b[2J"}], "b": [{"path": "\u202eb"}]}
    screen = render_against(comparison("lossy", inputs=inputs))
    assert "a\\x1b[2J: " in screen
    assert "\\u202eb: " in screen


def test_json_holds_what_the_core_said_and_the_sentences() -> None:
    core = document("lossy")
    printed = against_object(Against.from_json(core))
    assert printed["schema"] == SCHEMA
    assert {name: printed[name] for name in core} == core
    assert printed["notices"][0].startswith("91 of 400 connects lost a packet")


def test_top_limits_the_handshakes() -> None:
    screen = render_against(comparison("lossy"), top=2)
    assert "2 of 91 handshakes, most losses first" in screen


def test_a_handshake_of_a_line_is_typed() -> None:
    row = document("lossy")["handshakes"][0]
    handshake = Compared.from_json(row)
    assert handshake.a is not None
    assert handshake.lost == sum(sent.fate == "lost" for sent in handshake.packets) == 3
    assert {sent.sender for sent in handshake.packets} == {"client", "server"}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"unanswered_syns": 3, "with_unanswered_syns": 2},
            "3 SYNs of 2 connects reached B, the point nearer to the server, and drew no answer there.",
        ),
        (
            {"unanswered_syn_acks": 1},
            "1 SYN-ACK reached A, the point nearer to the client, and the client never answered.",
        ),
        ({"lost_whole": 5}, "5 of them never got a packet through."),
        ({"sampled_one_in": 8}, "one in 8 was compared, chosen by addresses and ports"),
        ({"rewritten": 2}, "answers for the server or rewrites its sequence numbers (a SYN proxy, a firewall)"),
        (
            {"clock": {"unknown_because": "contradiction"}},
            "How the two clocks relate cannot be told: no two steady clocks fit the times",
        ),
        (
            {"renumbered": {"handshakes": 1, "example": {"a": ends, "b": ends}}}
            if (ends := {"client": "10.0.0.1", "client_port": 1, "server": "10.0.0.2", "server_port": 2})
            else {},
            "rewrites sequence numbers: 1 handshake has the same addresses, ports and time stamps",
        ),
        (
            {"only": {"b": {"server_not_seen": 1}}},
            "1 handshake is only in B: it goes to a server that A has nothing of",
        ),
        ({"a": {"evicted": 7}}, "7 connections of A did not fit into the table (--max-flows)."),
    ],
)
def test_sentences(changes: dict[str, Any], sentence: str) -> None:
    assert any(sentence in notice for notice in against_object(comparison("lossy", **changes))["notices"])


def test_what_failed_outside_of_the_two_points_did_not_pass_whole() -> None:
    silent = [{"kind": "syn", "from": "client", "passed": 11, "lost": 0, "not_captured": 0, "not_judged": 0}]
    screen = " ".join(render_against(comparison("same", packets=silent)).split())
    assert "passed whole" not in screen
    assert "what failed in all 4 connects failed outside of them" in screen
    assert "! 11 SYNs of 4 connects passed both points, and nothing came back. What drops them is behind both" in screen
