"""Targets of a command line and of files, and what their names stand for."""

from __future__ import annotations

import io
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from halfopen.active.resolve import Destination, resolve
from halfopen.active.targets import TARGETS_MAX, read_targets
from halfopen.errors import InputError, ResolveError, UsageError
from halfopen.model.target import Target, second_reading

if TYPE_CHECKING:
    from pathlib import Path


def names(*arguments: str) -> list[str]:
    return [str(target) for target in read_targets(arguments)]


def test_several_each_once_in_order() -> None:
    assert names("b:1", "a:1", "b:1") == ["b:1", "a:1"]


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "targets"
    path.write_text("# ours\nweb:80\n\n  [2001:db8::1]:443   # the other\nweb\n")
    assert names("first:1", f"@{path}") == ["first:1", "web:80", "[2001:db8::1]:443", "web:443"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a:1\nb:2\n"))
    assert names("@-") == ["a:1", "b:2"]


def test_an_address_that_may_be_meant_with_a_port_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "targets"
    path.write_text("# ours\n::1:80\n[::1]:80\n2001:db8::1:443  # also\n")
    notes: list[str] = []
    targets = read_targets([f"@{path}", "::2:22"], note=notes.append)
    assert [str(target) for target in targets] == ["[::1:80]:443", "[::1]:80", "[2001:db8::1:443]:443", "[::2:22]:443"]
    assert notes == [
        f"line 2 of {path}: ::1:80 is read as an IPv6 address: port 80 of ::1 is written [::1]:80",
        f"line 4 of {path}: 2001:db8::1:443 is read as an IPv6 address: port 443 of 2001:db8::1 is written "
        "[2001:db8::1]:443",
        "::2:22 is read as an IPv6 address: port 22 of ::2 is written [::2]:22",
    ]


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "targets"
    path.write_text("a:1\nb:x\n")
    with pytest.raises(UsageError, match=f"line 2 of {path}: 'b:x' is no target: 'x' is no port"):
        read_targets([f"@{path}"])


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for name, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory"), (binary, "it is no text")):
        with pytest.raises(InputError, match=why):
            read_targets([f"@{name}"])


def test_none_and_too_many(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no target"):
        read_targets([])
    path = tmp_path / "many"
    path.write_text("\n".join(f"h{i}" for i in range(TARGETS_MAX + 1)))
    with pytest.raises(UsageError, match="10000 at a time"):
        read_targets([f"@{path}"])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("::1:80", "::1:80 is read as an IPv6 address: port 80 of ::1 is written [::1]:80"),
        ("2001:db8::10:443", "port 443 of 2001:db8::10 is written [2001:db8::10]:443"),
        ("2001:db8::1", None),
        ("2001:db8:0:0:0:0:0:1", None),
        ("2001:db8::1:beef", None),
        ("[::1:80]", None),
        ("[::1]:80", None),
        ("127.0.0.1:80", None),
    ],
)
def test_an_address_that_may_be_meant_with_a_port(text: str, sentence: str | None) -> None:
    found = second_reading(text)
    assert found is None if sentence is None else sentence in (found or "")


def test_an_address_needs_no_resolver() -> None:
    found = resolve(Target("127.0.0.1", 80))
    assert found.destinations == (Destination("127.0.0.1", 80),)
    assert found.resolve_us is None
    assert resolve(Target("::1", 80)).destinations == (Destination("::1", 80),)


def test_a_scope_is_a_number() -> None:
    index = socket.if_nametoindex("lo")
    assert resolve(Target("fe80::1%lo", 80)).destinations == (Destination("fe80::1", 80, index),)


def test_a_name_is_timed() -> None:
    found = resolve(Target("localhost", 80), "ipv4")
    assert found.destinations == (Destination("127.0.0.1", 80),)
    assert found.resolve_us is not None
    assert found.resolve_us > 0


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", "ipv6"), ("::1", "ipv4")])
def test_an_address_of_the_other_family(host: str, family: Any) -> None:  # noqa: ANN401
    with pytest.raises(ResolveError, match=f"it has no {'IPv6' if family == 'ipv6' else 'IPv4'} address"):
        resolve(Target(host, 80), family)


def test_no_host_name() -> None:
    with pytest.raises(ResolveError, match=r"cannot resolve a\.\.b: it is no host name"):
        resolve(Target("a..b", 80))


def test_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo
    never = socket.socketpair()

    def hang(*arguments: Any) -> object:  # noqa: ANN401
        if arguments[-1] & socket.AI_NUMERICHOST:
            return real(*arguments)
        never[0].recv(1)
        raise socket.gaierror(socket.EAI_AGAIN, "released")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    begin = time.monotonic()
    with pytest.raises(ResolveError, match=r"no answer within 0\.05 s"):
        resolve(Target("name.invalid", 80), timeout_s=0.05)
    assert time.monotonic() - begin < 5
    for end in never:
        end.close()
