"""Lines of sysctl files, as systemd-sysctl, procps and the kernel read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfopen.knowledge.sysctl_text import Assignment, Defect, dotted, parse, settings
from halfopen.model.host import Setting


def only(text: str) -> Assignment:
    (item,) = parse(text)
    assert isinstance(item, Assignment)
    return item


def test_places_are_one_based() -> None:
    item = only("# why\n  net.ipv4.tcp_syncookies =  1\n")
    assert (item.line, item.column, item.value_column) == (2, 3, 30)
    assert (item.key, item.value, item.comment) == ("net.ipv4.tcp_syncookies", "1", "why")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("net/ipv4/tcp_syncookies", "net.ipv4.tcp_syncookies"),
        ("net/ipv4/conf/eth0.100/rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
        ("net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.conf.eth0/100.rp_filter"),
    ],
)
def test_the_first_separator_decides(written: str, key: str) -> None:
    assert dotted(written) == key
    assert only(f"{written}=1").key == key


def test_a_minus_ignores_errors_or_excludes() -> None:
    assert only("-net.ipv4.conf.all.rp_filter").value is None
    item = only("- net.core.somaxconn = 5")
    assert (item.ignore_errors, item.key, item.column) == (True, "net.core.somaxconn", 3)


def test_a_comment_behind_a_value_belongs_to_the_value() -> None:
    item = only("net.ipv4.tcp_syn_retries = 3 # gives up after 15 s")
    assert item.value == "3 # gives up after 15 s"
    assert (item.number, item.comment) == (3, "gives up after 15 s")


def test_a_comment_ends_with_an_empty_line_or_a_setting() -> None:
    first, second, third = parse("# of a\na.b=1\nb.c=2\n\n# old\n\nc.d=3")
    assert [item.comment for item in (first, second, third) if isinstance(item, Assignment)] == ["of a", "", ""]


def test_numbers() -> None:
    assert only("net.ipv4.ip_local_port_range = 1024\t65535").numbers == (1024, 65535)
    assert only("net.ipv4.tcp_fastopen = 0x403").number == 0x403
    assert only("net.ipv4.tcp_congestion_control = bbr").numbers is None
    assert only("net.ipv4.tcp_syncookies =").numbers is None


@pytest.mark.parametrize("line", ["net.ipv4.tcp_syncookies", "= 5", "two words = 1", "net.ipv4.tcp_syncookies: 1"])
def test_what_is_no_assignment_is_a_defect(line: str) -> None:
    (defect,) = parse(f"\n {line}")
    assert isinstance(defect, Defect)
    assert (defect.line, defect.column, defect.text) == (2, 2, line)


def test_settings_keeps_those_below_net() -> None:
    assert settings("kernel.pid_max = 1\n-net.core.somaxconn=8\nrubbish\n-net.ipv4.conf.all.rp_filter\n") == (
        Setting(2, "net.core.somaxconn", "8", ignore_errors=True),
    )


@given(st.text())
def test_nothing_raises_and_places_point_into_the_text(text: str) -> None:
    lines = text.split("\n")
    for item in parse(text):
        assert 1 <= item.line <= len(lines)
        assert 1 <= item.column <= len(lines[item.line - 1])
