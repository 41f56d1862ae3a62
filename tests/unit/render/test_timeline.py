"""Handshakes over time, and numbers of several cases, as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from halfopen.model.experiment import Bars, Lane, Mark, Timeline
from halfopen.render.bars import render_bars
from halfopen.render.timeline import render_timeline

SVG = "{http://www.w3.org/2000/svg}"
SYN, ANSWER = Mark(0.0, "SYN", from_client=True), Mark(0.0001, "SYN-ACK", from_client=False)


def texts(root: ET.Element) -> list[str]:
    return [text.text or "" for text in root.iter(f"{SVG}text")]


def marks(root: ET.Element) -> dict[str, tuple[float, float]]:
    """{tooltip: x, and the y of its tip above or below the line}."""
    found = {}
    for line in root.iter(f"{SVG}line"):
        title = line.find(f"{SVG}title")
        if title is not None and title.text:
            found[title.text] = float(line.attrib["x1"]), float(line.attrib["y2"]) - float(line.attrib["y1"])
    return found


def test_the_packets_of_both_sides_stand_in_time() -> None:
    again = Mark(1.0, "SYN", from_client=True)
    timeline = Timeline("Handshakes <here>", (Lane("41000 → 8000", "established", 3, (SYN, ANSWER, again)),))
    root = ET.fromstring(render_timeline(timeline))
    assert {"Handshakes <here>", "41000 → 8000", "established, one of 3", "1 s", "S", "SA"} <= set(texts(root))
    seen = marks(root)
    first, answer, last = (seen[f"{name} s"] for name in ("SYN at 0.000000", "SYN-ACK at 0.000100", "SYN at 1.000000"))
    assert first[0] < answer[0] < last[0] < 760
    assert first[1] < 0 < answer[1], "the client's above, the server's below"


def test_letters_do_not_stand_on_one_another() -> None:
    crowd = tuple(Mark(0.001 + number * 1e-6, "ACK", from_client=True) for number in range(20))
    root = ET.fromstring(render_timeline(Timeline("", (Lane("a", "established", 1, crowd),))))
    assert texts(root).count("A") == 1
    assert len(marks(root)) == 20


def test_a_label_that_is_too_long_is_cut() -> None:
    root = ET.fromstring(render_timeline(Timeline("", (Lane("x" * 80, "refused", 1, (SYN,)),))))
    assert "x" * 35 + "…" in texts(root)


@pytest.mark.parametrize("values", [(0.0, 0.0), (1.0, 40.0), (0.25, 1e6)])
def test_bars_have_their_numbers_and_lengths(values: tuple[float, float]) -> None:
    root = ET.fromstring(render_bars(Bars("Served & not", "clients", (("one", values[0]), ("other", values[1])))))
    first, second = (float(rect.attrib["width"]) for rect in root.iter(f"{SVG}rect"))
    assert 0 <= first <= second <= 760
    assert (second > 0) == (values[1] > 0)
    assert "Served & not, clients" in texts(root)
