"""Option values: moments and four-tuples."""

from __future__ import annotations

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfopen.cli.values import BytesType, DurationType, SecondsType, parse_which
from halfopen.model.exchange import FourTuple
from halfopen.model.moment import Moment

SECOND = 10**9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1763884800", Moment(1763884800 * SECOND)),
        ("1763884800.5", Moment(1763884800 * SECOND + SECOND // 2)),
        ("1763884800.123456789", Moment(1763884800 * SECOND + 123456789)),
        ("2025-11-23T08:00:00Z", Moment(1763884800 * SECOND)),
        ("2025-11-23 08:00:00", Moment(1763884800 * SECOND)),
        ("2025-11-23T09:00:00.000001+01:00", Moment(1763884800 * SECOND + 1000)),
        ("2025-11-23", Moment(1763856000 * SECOND)),
        ("+5s", Moment(5 * SECOND, relative=True)),
        ("+1m30s", Moment(90 * SECOND, relative=True)),
        ("+1.5ms", Moment(1_500_000, relative=True)),
        ("+0s", Moment(0, relative=True)),
    ],
)
def test_a_moment(text: str, expected: Moment) -> None:
    assert Moment.parse(text) == expected


@pytest.mark.parametrize("text", ["", "+", "+5", "5s", "noon", "1969-12-31", "2263-01-01", "+5s later", "-1", "1e9"])
def test_no_moment(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Moment.parse(text)


@given(st.integers(0, 2**63 - 1))
def test_every_nanosecond_can_be_named(ns: int) -> None:
    assert Moment.parse(f"{ns // SECOND}.{ns % SECOND:09}") == Moment(ns)


V4 = FourTuple("10.0.0.1", 4242, "10.0.0.2", 443)
V6 = FourTuple("2001:db8::1", 4242, "2001:db8::2", 443)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("10.0.0.1:4242 10.0.0.2:443", V4),
        ("10.0.0.1:4242-10.0.0.2:443", V4),
        ("10.0.0.1:4242 -> 10.0.0.2:443", V4),
        ("10.0.0.1:4242→10.0.0.2:443", V4),
        ("10.0.0.1:4242,10.0.0.2:443", V4),
        ("[2001:db8::1]:4242-[2001:DB8:0::2]:443", V6),
        ("[2001:DB8:0:0::1]:4242 , [2001:db8::2]:443", V6),
        (" 812 ", 812),
    ],
)
def test_which_handshake(text: str, expected: int | FourTuple) -> None:
    assert parse_which(text) == expected


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "10.0.0.1:80", "10.0.0.1 10.0.0.2", "10.0.0.1:80 10.0.0.2:65536", "a:1 b:2", "1 2 3", "٣"]
)
def test_no_handshake(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_which(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("200ms", 0.2), ("1.5s", 1.5), ("1m30s", 90.0), ("2", 2.0), ("0.25", 0.25), ("50us", 5e-5), ("5min", 300.0),
        ("5m", 300.0), ("1h30min", 5400.0), ("1.5h", 5400.0), ("1d", 86400.0), ("2 min 5 s", 125.0), ("31 ms", 0.031),
        ("1s 2s", 3.0),
    ],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert DurationType().convert(text, None, None) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "s",
        "1x",
        "-1",
        "1e3",
        "nan",
        "inf",
        "1s  2s",
        " 1s",
        "1s ",
        "٢",
        "٢s",
        "1mins",
        "1 m in",
        "9" * 400,
        "9" * 400 + "h",
    ],
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no duration"):
        DurationType().convert(text, None, None)


@pytest.mark.parametrize(("text", "seconds"), [("5", 5), ("5s", 5), ("2min", 120), ("5000ms", 5)])
def test_whole_seconds(text: str, seconds: int) -> None:
    assert SecondsType(3600).convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["0", "1.5s", "2h", "500ms", "x"])
def test_what_is_no_whole_number_of_seconds(text: str) -> None:
    with pytest.raises(click.BadParameter):
        SecondsType(3600).convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("GET / HTTP/1.0\\r\\n\\r\\n", b"GET / HTTP/1.0\r\n\r\n"),
        ("\\x00\\xff\\0\\t", b"\x00\xff\x00\t"),
        ("\\\\n", b"\\n"),
        ("ü", "ü".encode()),
        ("", b""),
    ],
)
def test_bytes(text: str, data: bytes) -> None:
    assert BytesType().convert(text, None, None) == data


@pytest.mark.parametrize("text", ["\\", "\\q", "\\x1", "\\\\\\", "a\\xzz"])
def test_unknown_escapes(text: str) -> None:
    with pytest.raises(click.BadParameter, match="unknown escape"):
        BytesType().convert(text, None, None)
