"""Whole screens against committed ones: what a person sees is reviewed as a diff.

``tests/cases/summary/NAME.json`` is what the core says, ``NAME.WIDTH.txt`` the screen. ``HALFOPEN_UPDATE_SNAPSHOTS=1``
rewrites them.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from halfopen.model.summary import Summary
from halfopen.render.text import render_summary, verdict

CASES = Path(__file__).parents[2] / "cases" / "summary"
NAMES = sorted(path.stem for path in CASES.glob("*.json"))
WIDTHS = (60, 80, 120)
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def numbers(name: str) -> Summary:
    return Summary.from_json(json.loads((CASES / f"{name}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_screen(name: str, width: int) -> None:
    screen = render_summary(numbers(name), width=width, top=5)
    golden = CASES / f"{name}.{width}.txt"
    if os.environ.get("HALFOPEN_UPDATE_SNAPSHOTS"):
        golden.write_text(screen, encoding="utf-8")
    assert screen == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_it_fits(name: str, width: int) -> None:
    for line in render_summary(numbers(name), width=width).splitlines():
        # A single word, such as an IPv6 endpoint or a path, is worth more whole than folded.
        assert len(line) <= width or len(line.split()) == 1, line


@pytest.mark.parametrize("name", NAMES)
def test_color_only_repeats_what_the_words_say(name: str) -> None:
    colored = render_summary(numbers(name), width=80, color=True)
    assert COLOR.search(colored)
    assert COLOR.sub("", colored) == render_summary(numbers(name), width=80, color=False)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_reaches_the_terminal_unescaped(name: str) -> None:
    screen = render_summary(numbers(name), width=100)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", screen)


@pytest.mark.parametrize("name", NAMES)
def test_the_unknown_is_never_called_none_or_zero(name: str) -> None:
    screen = render_summary(numbers(name), width=120)
    assert not re.search(r"\b(None|nan|null)\b", screen)


def test_a_summary_of_nothing_is_one_sentence() -> None:
    assert render_summary(Summary()).splitlines()[0] == "No packet in this capture."


def test_a_filter_that_leaves_nothing_is_not_blamed_on_the_capture() -> None:
    screen = render_summary(Summary(packets=9, tcp_segments=9, filter="server_port == 81\x1b"))
    assert screen.startswith("No handshake in this capture fits what was asked for.\n")
    assert "Only      server_port == 81\\x1b\n" in screen


def test_top_limits_every_table() -> None:
    screen = render_summary(numbers("lossy"), width=100, top=1)
    assert "3 more endpoints not shown" in screen
    assert screen.count(" unanswered  ") == 2  # one in the outcomes, one in the failed
    assert "Slowest" not in screen


def test_the_first_line_is_the_trouble() -> None:
    assert render_summary(numbers("lossy"), width=120).startswith("! 312 of 1 204 connects to 10.0.0.5:443 waited")
    assert render_summary(numbers("healthy"), width=120).startswith("No trouble: all 24 connects were established")


@pytest.mark.parametrize(("left", "words"), [(1, "one"), (5, "5")])
def test_what_the_end_of_the_capture_cut_short_is_neither_trouble_nor_its_absence(left: int, words: str) -> None:
    said = json.loads((CASES / "healthy.json").read_text(encoding="utf-8"))
    said["outcomes"]["unanswered"] = left
    said["undecided"] = {"unanswered": left}
    said["handshakes"] += left
    sentence = verdict(Summary.from_json(said))
    assert sentence.startswith(f"24 of {24 + left} connects were established")
    assert sentence.endswith(f"; the capture ended before the other {words} did.")


def test_a_name_that_needs_quotes_stays_out_of_the_hint() -> None:
    assert "--ladder" in render_summary(numbers("hostile"))
    assert "halfopen trace FILE --ladder 1" in render_summary(numbers("hostile"))
