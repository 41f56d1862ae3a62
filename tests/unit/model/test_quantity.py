"""How numbers read."""

from __future__ import annotations

import pytest

from halfopen.model import quantity


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (None, "—"),
        (0, "0"),
        (0.25, "250 ns"),
        (3.4, "3.4 µs"),
        (999.4, "999 µs"),
        (999.6, "1 ms"),
        (31_000, "31 ms"),
        (31_240, "31.2 ms"),
        (999_600, "1 s"),
        (1_031_000, "1.03 s"),
        (59_940_000, "59.9 s"),
        (59_960_000, "1 min"),
        (125_000_000, "2 min 5 s"),
        (3_599_900_000, "1 h 0 min"),
        (90_000_000_000, "1 d 1 h"),
        (-31_000, "-31 ms"),
    ],
)
def test_duration(microseconds: float | None, text: str) -> None:
    assert quantity.duration(microseconds) == text


@pytest.mark.parametrize(
    ("microseconds", "uncertainty_us", "text"),
    [
        (0, 5, "0"),
        (29.2, 18_400, "29.2 µs"),
        (1000, 1000, "1 ms"),
        (7_000_000, 9_000_000, "7 s"),
        (123_456.7, 5, "123.4567 ms"),
        (5_000_400, 18_700, "5.000 s"),
        (10_800_123_000, 18_400, "10 800.123 s (3 h 0 min)"),
        (10_800_123_000, 0.001, "10 800.1230000 s (3 h 0 min)"),
    ],
)
def test_measured(microseconds: float, uncertainty_us: float, text: str) -> None:
    assert quantity.measured(microseconds, uncertainty_us) == text


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 10_000, "<0.1 %"),
        (9_999, 10_000, ">99.9 %"),
        (4, 1000, "0.4 %"),
        (1, 0, "—"),
        (None, 9, "—"),
    ],
)
def test_share(part: int | None, whole: int, text: str) -> None:
    assert quantity.share(part, whole) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (9_999, "9 999"),
        (10_000, "10 k"),
        (12_345, "12.3 k"),
        (999_600, "1 M"),
        (9_912_345, "9.9 M"),
        (123_456_789, "123 M"),
        (None, "—"),
    ],
)
def test_estimated(count: int | None, text: str) -> None:
    assert quantity.estimated(count) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 B"), (999, "999 B"), (2_150_000_000, "2.15 GB"), (None, "—")])
def test_size(count: int | None, text: str) -> None:
    assert quantity.size(count) == text


@pytest.mark.parametrize(
    ("end_s", "text"),
    [
        (150, "2026-05-01 12:00:00 to 12:02:30 UTC (2 min 30 s)"),
        (86_400, "2026-05-01 12:00:00 to 2026-05-02 12:00:00 UTC (1 d 0 h)"),
    ],
)
def test_span(end_s: int, text: str) -> None:
    start = 1_777_636_800_000_000_000
    assert quantity.span(start, start + end_s * 10**9) == text


def test_any_time_that_a_file_may_claim() -> None:
    assert quantity.moment(2**63 - 1) == "2262-04-11 23:47:16 UTC"
    assert quantity.moment(-(2**63)) == "1677-09-21 00:12:43 UTC"
    assert quantity.moment(2**200) == "—"
    assert quantity.span(None, 1) == "—"


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (list("abc"), "a, b and c"),
        (list("abcdef"), "a, b, c and 3 more"),
    ],
)
def test_listed(items: list[str], text: str) -> None:
    assert quantity.listed(items) == text


def test_plural() -> None:
    assert [quantity.plural(n, "connect") for n in (0, 1, 1204)] == ["0 connects", "1 connect", "1 204 connects"]
    assert quantity.plural(2, "address", "addresses") == "2 addresses"


def test_endpoint() -> None:
    assert quantity.endpoint("10.0.0.5", 443) == "10.0.0.5:443"
    assert quantity.endpoint("2001:db8::1", 443) == "[2001:db8::1]:443"
