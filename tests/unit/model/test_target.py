"""Targets as people write them."""

from __future__ import annotations

import pytest

from halfopen.errors import UsageError
from halfopen.model.target import Target


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("example.com", "example.com", 443),
        ("example.com:80", "example.com", 80),
        ("192.0.2.1:65535", "192.0.2.1", 65535),
        ("2001:db8::1", "2001:db8::1", 443),
        ("[2001:db8::1]", "2001:db8::1", 443),
        ("[2001:db8::1]:22", "2001:db8::1", 22),
        ("[fe80::1%eth0]:22", "fe80::1%eth0", 22),
        ("bücher.example:80", "bücher.example", 80),
    ],
)
def test_the_forms(text: str, host: str, port: int) -> None:
    target = Target.parse(text)
    assert (target.host, target.port) == (host, port)
    assert Target.parse(str(target)) == target


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "names no host"),
        (":80", "names no host"),
        ("a b:80", "names no host"),
        ("a\x1b[2J", "names no host"),
        ("x" * 256, "names no host"),
        ("host:", "'' is no port"),
        ("host:0", "'0' is no port"),
        ("host:65536", "'65536' is no port"),
        ("host:٨٠", "is no port"),
        ("host:-1", "is no port"),
        ("host:80:90", r"\[2001:db8::1\]:443"),
        ("[::1]80", r"\[2001:db8::1\]:443 and"),
        ("[::1", r"\[2001:db8::1\]:443 and"),
        ("[host]:80", r"\[2001:db8::1\]:443 and"),
        ("[a:b]:80", r"\[2001:db8::1\]:443 and"),
    ],
)
def test_what_is_none(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        Target.parse(text)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com/path?q", "example.com:443"),
        ("http://user@example.com", "example.com:80"),
        ("http://example.com:8080/", "example.com:8080"),
        ("https://[2001:db8::1]/", "[2001:db8::1]:443"),
    ],
)
def test_a_url_is_answered_with_the_target_to_write(url: str, target: str) -> None:
    with pytest.raises(UsageError) as caught:
        Target.parse(url)
    assert caught.value.hint == f"write {target}"
    Target.parse(target)


def test_the_default_port_is_an_argument() -> None:
    assert Target.parse("host", 22).port == 22
