"""``--fast-open`` against servers that do it, do not, or have changed their key, and paths that eat it."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest
from tests.probe.network import FAR, Pair
from tests.probe.running import document

if TYPE_CHECKING:
    from collections.abc import Iterator

BOTH = pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])
TCP_FASTOPEN = 23


def listen(net: Pair, far: str) -> str:
    """A listener with Fast Open."""
    net.far.sysctl("tcp_fastopen", "3")
    server, target = net.listen(far)
    server.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    return target


def probe(net: Pair, *arguments: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The connects with Fast Open, and their numbers."""
    found, code = document(net, "--fast-open", *arguments)
    assert code == 0
    ordinary, *others = found["attempts"]
    assert ordinary["probe"]["fast_open"] is None
    (address,) = found["targets"][0]["addresses"]
    return others, address["fast_open"]


def read(connection: socket.socket) -> None:
    """What has come; the connection is closed then."""
    connection.recv(100)


def said(attempts: list[dict[str, Any]]) -> Iterator[str]:
    return ("; ".join(attempt["probe"]["explanation"]) for attempt in attempts)


@BOTH
def test_a_cookie_is_asked_for_and_used(net: Pair, far: str) -> None:
    asked, used = probe(net, target := listen(net, far))[0]
    assert (asked["fast_open"], asked["syn_data_bytes"]) == ("requested", None)
    assert (used["fast_open"], used["syn_data_bytes"]) == ("accepted", 2)
    (again,), numbers = probe(net, "--send", "hello", target)
    assert (again["fast_open"], again["syn_data_bytes"]) == ("accepted", 5)
    assert numbers["verdict"] == "Fast Open works: the server acknowledged the data in 1 of 1 SYN."
    assert "Fast Open: 5 bytes in the SYN, acknowledged" in next(said([again]))


@BOTH
def test_a_server_without_it_gives_no_cookie(net: Pair, far: str) -> None:
    _, target = net.listen(far)
    attempts, numbers = probe(net, target)
    assert [attempt["fast_open"] for attempt in attempts] == ["requested", "requested"]
    assert numbers["carried"] == 0
    assert numbers["verdict"].startswith("The server gives no cookie")


@BOTH
def test_a_wrong_key(net: Pair, far: str) -> None:
    target = listen(net, far)
    probe(net, target)
    net.far.sysctl("tcp_fastopen_key", "00000001-00000002-00000003-00000004")
    attempts, numbers = probe(net, target)
    assert attempts[0]["fast_open"] == "ignored"
    assert attempts[0]["probe"]["fast_open"]["failure"] == "data_not_acknowledged"
    assert "Its cookie key has changed" in numbers["verdict"]
    # The data is sent again and acknowledged within connect(), in a time that the kernel knows to the millisecond only.
    assert (attempts[0]["probe"]["rtt_us"], attempts[0]["probe"]["rtt_validity"]) == (None, "syn_data_resent")


@BOTH
def test_a_cookie_of_another_port(net: Pair, far: str) -> None:
    probe(net, listen(net, far))
    _, without = net.listen(far)
    assert "Fast Open is off on this port" in probe(net, without)[1]["verdict"]


@BOTH
def test_a_path_that_eats_data_in_a_syn(net: Pair, far: str) -> None:
    target = listen(net, far)
    probe(net, target)
    # A SYN with 60 bytes of IP and TCP headers and 12 of cookie option carries no data; these do.
    longer = "ip6 length > 60" if ":" in far else "ip length > 80"  # that of IPv6 is without its header
    net.far.nft("input", f"tcp flags & (syn|ack) == syn {longer} drop")
    attempts, numbers = probe(net, "--send", "x" * 40, target)
    assert attempts[0]["probe"]["fast_open"]["failure"] == "syn_retransmitted"
    assert attempts[0]["syn_sent"] == 2
    assert "SYNs with data are lost" in numbers["verdict"]


@BOTH
def test_a_server_that_answers_and_closes_at_once(net: Pair, far: str) -> None:
    """Its FIN is there before anyone looks: the data that was sent again is still no SYN that was."""
    probe(net, listen(net, far))
    server, without = net.listen(far, backlog=100)
    net.serve(server, read)
    attempts = document(net, "--fast-open", "-c", "20", "-i", "0", without)[0]["attempts"]
    assert [attempt["fast_open"] for attempt in attempts] == [None, "ignored"] * 20
    # On a machine that is busy a SYN may really be lost: that costs a second.
    assert {attempt["syn_sent"] for attempt in attempts if attempt["connect_us"] < 0.9e6} == {1}


@BOTH
@pytest.mark.parametrize("cookie", [True, False])
def test_what_is_not_answered_says_nothing_of_it(net: Pair, far: str, cookie: bool) -> None:
    if cookie:
        probe(net, listen(net, far))
    target = net.closed_port(far)
    net.near.sysctl("tcp_syn_linear_timeouts", "0")
    for rules in ((), ("tcp flags & (syn|ack) == syn drop",)):
        net.far.nft("input", *rules)
        found, code = document(net, "--fast-open", "--timeout", "300ms", target)
        numbers = found["targets"][0]["addresses"][0]["fast_open"]
        assert (code, numbers["tried"], numbers["carried"]) == (1, 1, int(cookie))
        assert numbers["verdict"].startswith("Nothing is known of the server's Fast Open: no connect")
        assert {attempt["fast_open"] for attempt in found["attempts"]} == {None, "requested"}


@BOTH
def test_the_pause_after_a_black_hole(net: Pair, far: str) -> None:
    """One is met for real: all SYNs of a connect with Fast Open are lost."""
    net.near.sysctl("tcp_fastopen_blackhole_timeout_sec", "3600")
    net.near.sysctl("tcp_syn_linear_timeouts", "0")
    target = listen(net, far)
    net.far.nft("input", "tcp flags & (syn|ack) == syn drop")
    document(net, "--fast-open", "--syn-retries", "1", "--timeout", "5s", target)
    net.far.nft("input")
    attempts, numbers = probe(net, target)
    assert [attempt["fast_open"] for attempt in attempts] == [None]
    assert "Fast Open: no data in the SYN" in next(said(attempts))
    assert "by the word of this host's kernel no SYN asked" in numbers["verdict"]
    # Written again, it is over, whatever the counter of black holes says.
    net.near.sysctl("tcp_fastopen_blackhole_timeout_sec", "3600")
    done = net.near.halfopen("probe", "--fast-open", target)
    assert "Fast Open works: the server acknowledged the data" in done.stdout
    assert "black hole" not in done.stdout


@BOTH
def test_reasons_of_this_host_come_first(net: Pair, far: str) -> None:
    target = listen(net, far)
    net.near.sysctl("tcp_fastopen", "2")
    done = net.near.halfopen("probe", "--fast-open", target)
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert lines[0].startswith("Fast Open is off for clients on this host: bit 0x1 is not set in net.ipv4.tcp_fastopen")
    assert "Fast Open is off here" in done.stdout


@BOTH
def test_the_comparison_with_an_ordinary_connect(net: Pair, far: str) -> None:
    net.far.sysctl("tcp_fastopen", "3")
    server, target = net.listen(far)
    server.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 16)
    net.serve(server, lambda connection: connection.sendall(connection.recv(100)))
    done = net.near.halfopen("probe", "--fast-open", "--await-data", "--send", "hi", "-c", "5", "-i", "0", target)
    assert done.returncode == 0
    assert "connect, data in SYN" in done.stdout
    assert "To the first byte at the median: " in done.stdout
    assert "So few connects say little of it." in " ".join(done.stdout.split())
