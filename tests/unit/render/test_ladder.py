"""The drawn ladder against committed ones. ``HALFOPEN_UPDATE_SNAPSHOTS=1`` rewrites them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from halfopen.model.exchange import Exchange
from halfopen.model.handshake import Handshake
from halfopen.render.ladder import flag_words, render_ladder

CASES = Path(__file__).parents[2] / "cases" / "ladder"
NAMES = sorted(path.stem for path in CASES.glob("*.json"))


def exchange(name: str) -> Exchange:
    data = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    return Exchange.from_dicts(
        Handshake.from_dict(data["handshake"]),
        data["packets"],
        tuple(data["files"]),
        data.get("omitted", 0),
        data.get("omitted_after", 0),
    )


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", NAMES)
def test_ladder(name: str, width: int) -> None:
    drawn = render_ladder(exchange(name), width)
    golden = CASES / f"{name}.{width}.txt"
    if os.environ.get("HALFOPEN_UPDATE_SNAPSHOTS"):
        golden.write_text(drawn, encoding="utf-8")
    assert drawn == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_color_only_repeats_what_the_words_say(name: str) -> None:
    colored = render_ladder(exchange(name), 100, color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == render_ladder(exchange(name), 100, color=False)


@pytest.mark.parametrize("name", NAMES)
def test_foreign_text_is_escaped(name: str) -> None:
    assert "\x1b" not in render_ladder(exchange(name), 100)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (0x002, "SYN"),
        (0x012, "SYN-ACK"),
        (0x018, "PSH-ACK"),
        (0x011, "FIN-ACK"),
        (0x0C2, "SYN-ECE-CWR"),
        (0x000, "none"),
        (0x1FF, "FIN-SYN-RST-PSH-URG-ECE-CWR-AE-ACK"),
    ],
)
def test_flags(flags: int, words: str) -> None:
    assert flag_words(flags) == words


def test_a_connection_without_packets() -> None:
    row = Handshake("a", 0, "10.0.0.1", 1, "10.0.0.2", 2, "unanswered")
    assert "No packet of it was kept." in render_ladder(Exchange(row, ()))
