"""``--await-data``: a server that works, one that never accepts, one that waits, and a path that eats data."""

from __future__ import annotations

import re
import socket
import struct
import subprocess

import pytest
from tests.conftest import environment
from tests.probe.network import FAR, Pair
from tests.probe.network import target as target_of
from tests.probe.running import one
from tests.serve.running import Running, serving

BOTH = pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])
#: linux/tcp.h; Python has no name for it.
TCP_DEFER_ACCEPT = 9
FIRST_SYN_ACKS = "tcp flags & (syn|ack) == (syn|ack)"


def banner(connection: socket.socket) -> None:
    connection.sendall(b"220 ready\r\n")


def echo(connection: socket.socket) -> None:
    connection.sendall(connection.recv(100))


def reset(connection: socket.socket) -> None:
    connection.recv(100)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@BOTH
def test_the_first_byte(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    net.serve(server, banner)
    record, code, text = one(net, "--await-data", target)
    assert code == 0
    assert 0 < record["first_byte_us"] < 1e6
    assert record["probe"]["data"]["received_bytes"] == 11
    assert "first byte after" in text


@BOTH
def test_an_answer_to_what_was_sent(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    net.serve(server, echo)
    record, code, _ = one(net, "--await-data", "--send", r"hi\r\n", target)
    assert code == 0
    data = record["probe"]["data"]
    assert (data["end"], data["sent_bytes"], data["received_bytes"], data["acknowledged_bytes"]) == (
        "first_byte",
        4,
        4,
        4,
    )


@BOTH
def test_nobody_accepts(net: Pair, far: str) -> None:
    _, target = net.listen(far)
    record, code, text = one(net, "--await-data", "--send", "hi", "--timeout", "300ms", target)
    assert (code, record["outcome"], record["first_byte_us"]) == (1, "established", None)
    assert "The server's kernel took the data and no answer came: nobody calls accept()" in text


@BOTH
def test_the_server_closes(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    net.serve(server, lambda _connection: None)
    _, code, text = one(net, "--await-data", target)
    assert code == 1
    assert "closed without a byte after" in text


@BOTH
def test_the_server_resets(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    net.serve(server, reset)
    record, code, text = one(net, "--await-data", "--send", "hi", target)
    assert code == 1
    assert record["probe"]["data"]["errno"] == "ECONNRESET"
    assert "RST after the handshake" in text


@BOTH
def test_an_rst_for_the_last_ack(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    net.far.nft("input", "tcp flags & (syn|ack) == ack reject with tcp reset")
    record, code, text = one(net, "--await-data", target)
    server.close()
    assert code == 1
    assert (record["errno"] or record["probe"]["data"]["errno"]) == "ECONNRESET"
    assert record["outcome"] in {"reset_by_server", "established"}  # as soon as it was seen
    assert "after the handshake" in text


@BOTH
def test_accept_starvation(net: Pair, far: str) -> None:
    """The SYN finds room, the last ACK does not: the accept queue fills up in the meantime (fact F12)."""
    server, target = net.listen(far, backlog=0)
    net.far.nft("output", f"{FIRST_SYN_ACKS} oifname far drop")
    with subprocess.Popen(
        net.near.command("probe", "--await-data", "--send", "hi", "--timeout", "3s", target),
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as probe:
        net.far.wait_until(lambda: bool(net.far.run("ss -Htn state syn-recv").strip()))
        with net.far.inside(lambda: socket.create_connection(server.getsockname()[:2], timeout=5)):
            net.far.nft("output")
            output, _ = probe.communicate(timeout=30)
    text = " ".join(output.split())
    assert probe.returncode == 1
    assert "Accept starvation, most likely: the handshake succeeded, but 2 bytes" in text
    assert re.search(
        r"were never acknowledged, and the SYN-ACK came again (once|twice|\d times). The server's accept queue is full",
        text,
    )


@BOTH
def test_a_path_that_eats_data(net: Pair, far: str) -> None:
    """Nothing but the data is lost: the SYN-ACK does not come again."""
    _, target = net.listen(far)
    net.far.nft("input", "tcp flags & psh == psh drop")
    record, code, text = one(net, "--await-data", "--send", "hi", "--timeout", "2s", target)
    assert code == 1
    assert (record["probe"]["data"]["acknowledged_bytes"], record["probe"]["data"]["segments_received"]) == (0, 0)
    assert "The path eats data, most likely: the handshake succeeded, but 2 bytes" in text
    assert "Otherwise the server's accept queue is full and it answered with a SYN cookie" in text


@BOTH
def test_serve_shows_what_the_probe_tells(net: Pair, far: str) -> None:
    """From the command line at both ends: one that waits for the client, one that accepts late, one that never does."""
    within = ("nsenter", f"--net={net.far.path}")
    with serving("--http", "--address", far, within=within) as server:
        text = one(net, "--await-data", "--timeout", "300ms", to := server_of(far, server))[2]
        assert "The server waits for the client to speak first, TCP_DEFER_ACCEPT makes it wait, or nobody calls" in text
        assert one(net, "--await-data", "--send", r"GET / HTTP/1.0\r\n\r\n", to)[1] == 0
    with serving("--http", "--accept-delay", "700ms", "--address", far, within=within) as server:
        record, code, _ = one(net, "--await-data", "--send", r"GET / HTTP/1.0\r\n\r\n", server_of(far, server))
        waited = server.wait_for("accepted")["accept_wait_ms"]
    assert code == 0
    assert record["first_byte_us"] == pytest.approx(0.7e6, rel=0.2)
    assert waited == pytest.approx(700, rel=0.2)
    with serving("--never-accept", "--backlog", "0", "--address", far, within=within) as server:
        to = server_of(far, server)
        text = one(net, "--await-data", "--send", "hi", "--timeout", "300ms", to)[2]
        assert "The server's kernel took the data and no answer came" in text
        assert one(net, "--await-data", "--timeout", "300ms", to)[0]["outcome"] == "timeout"
        assert server.stop()["kernel_deltas"]["ListenOverflows"] >= 1


def server_of(far: str, server: Running) -> str:
    return target_of(far, server.ports[0])


@BOTH
def test_deferred_accept_is_named(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    server.setsockopt(socket.IPPROTO_TCP, TCP_DEFER_ACCEPT, 1)
    record, code, text = one(net, "--await-data", "--timeout", "2s", target)
    assert code == 1
    assert record["probe"]["data"]["segments_received"] == 1
    assert "TCP_DEFER_ACCEPT, which waits for the client's data" in text
    net.serve(server, echo)
    record, code, _ = one(net, "--await-data", "--send", "hi", target)
    assert code == 0
    assert record["first_byte_us"] < 0.9e6


@BOTH
def test_deferred_accept_of_a_server_that_speaks_first(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    server.setsockopt(socket.IPPROTO_TCP, TCP_DEFER_ACCEPT, 1)
    net.serve(server, banner)
    record, code, text = one(net, "--await-data", target)
    assert code == 0
    assert record["first_byte_us"] == pytest.approx(1e6, rel=0.1)
    assert "that is TCP_DEFER_ACCEPT on a server that speaks first" in text
