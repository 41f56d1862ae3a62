"""Charts as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from halfopen.model.experiment import Series
from halfopen.render.figure import render_figure, ticks

SVG = "{http://www.w3.org/2000/svg}"


def test_a_chart_is_well_formed_and_inside_its_frame() -> None:
    series = Series("Depth <of> a queue", "seconds", "connections", ((0, 0), (0.5, 9), (1.25, 9)))
    root = ET.fromstring(render_figure(series))
    line = root.find(f"{SVG}polyline")
    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
    assert len(points) == 3
    assert all(64 <= x <= 624 and 36 <= y <= 232 for x, y in points)
    assert points[0][1] > points[1][1], "more is higher"
    assert "Depth <of> a queue" in [text.text for text in root.iter(f"{SVG}text")]


@pytest.mark.parametrize(
    "values", [[0.0], [1.0, 1.0], [0.003, 0.011], [0, 9], [0, 28_232], [0.25, 0.975], [-3, 4], [0, 1e9], [12.5]]
)
def test_ticks_are_few_and_hold_every_value(values: list[float]) -> None:
    marks = ticks(values)
    assert 2 <= len(marks) <= 8
    assert marks[0] <= min(values) <= max(values) <= marks[-1] + 1e-9
    assert marks == sorted(marks)
