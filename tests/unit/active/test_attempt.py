"""The engine's answer as typed values, and what is read beside it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from halfopen import _core
from halfopen.active.attempt import OUTCOMES, Whom, attempt
from halfopen.active.fast_open import read_fast_open
from halfopen.active.options import ConnectOptions
from halfopen.active.resolve import Destination, Resolution
from halfopen.active.sources import chosen_source, fitting, source_address
from halfopen.errors import HalfopenError, NotAvailableError, PrivilegeError, UsageError
from halfopen.model.handshake import OUTCOMES as RECORD_OUTCOMES
from halfopen.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def whom(server: socket.socket) -> Whom:
    port = server.getsockname()[1]
    return Whom(Target("localhost", port), Destination("127.0.0.1", port), 7, 9, 12.5)


def test_a_connect_becomes_a_record(server: socket.socket) -> None:
    result = attempt(whom(server), ConnectOptions())
    row = result.handshake
    assert (result.round, row.number, row.resolve_us, result.ending) == (7, 9, 12.5, "established")
    assert (row.client, row.server_port) == ("127.0.0.1", server.getsockname()[1])
    assert result.rtt_us == row.syn_to_syn_ack_us
    assert result.negotiated is not None
    assert row.client_options is not None
    assert row.client_options.mss == result.negotiated.offered_mss


def test_every_ending_has_an_outcome_of_the_record() -> None:
    assert set(OUTCOMES.values()) <= set(RECORD_OUTCOMES)


def answer(monkeypatch: pytest.MonkeyPatch, error: _core.SocketSetupError) -> None:
    def refuse(*_: Any, **__: Any) -> object:  # noqa: ANN401
        raise error

    monkeypatch.setattr(_core, "probe", refuse)


@pytest.mark.parametrize(
    ("errno", "kind", "words"),
    [
        ("EPERM", PrivilegeError, "cannot set SO_MARK 7: not permitted"),
        ("EMFILE", NotAvailableError, r"Too many open files \(EMFILE\)"),
        ("ENODEV", UsageError, "there is no such interface"),
        ("EINVAL", UsageError, r"words \(EINVAL\)"),
    ],
)
def test_refusals_of_the_kernel(
    monkeypatch: pytest.MonkeyPatch, server: socket.socket, errno: str, kind: type[HalfopenError], words: str
) -> None:
    why = "Too many open files" if errno == "EMFILE" else "words"
    answer(monkeypatch, _core.SocketSetupError("SO_MARK 7", errno, why))
    with pytest.raises(kind, match=words):
        attempt(whom(server), ConnectOptions())


def test_sources() -> None:
    assert source_address("127.0.0.1", ipv6=False) == "127.0.0.1"
    assert source_address("lo", ipv6=False) == "127.0.0.1"
    assert chosen_source("127.0.0.9") == "127.0.0.1"
    with pytest.raises(UsageError, match="cannot reach an IPv6 address"):
        source_address("127.0.0.1", ipv6=True)


def test_only_addresses_that_fit_the_source_are_tried() -> None:
    v4, v6 = Destination("127.0.0.1", 80), Destination("::1", 80)
    both = Resolution(Target("dual", 80), (v6, v4), 1.0)
    assert fitting(both, None) is both
    assert fitting(both, "127.0.0.2").destinations == (v4,)
    assert fitting(both, "::1").destinations == (v6,)
    with pytest.raises(UsageError, match=r"the source 127\.0\.0\.2 cannot reach an IPv6 address"):
        fitting(Resolution(Target("six", 80), (v6,), 1.0), "127.0.0.2")


def test_a_local_port_that_is_in_use(server: socket.socket) -> None:
    with pytest.raises(UsageError, match="it is in use") as refused:
        attempt(whom(server), ConnectOptions(source="127.0.0.1", source_port=server.getsockname()[1]))
    assert "without a source port" in (refused.value.hint or "")


def test_this_hosts_word_on_fast_open() -> None:
    assert read_fast_open().client_enabled in {True, False, None}
