"""``halfopen serve`` as a process on loopback: its readiness, its events, its knobs, its end."""

from __future__ import annotations

import itertools
import json
import re
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.conftest import PROGRAM, environment
from tests.serve.running import serving

if TYPE_CHECKING:
    from tests.conftest import Halfopen


def connect(port: int, address: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((address, port), timeout=20)


def read_all(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def get(port: int, connection: str = "close") -> bytes:
    with connect(port) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n\r\n".encode())
        return read_all(client) if connection == "close" else client.recv(65536)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_when_it_is_ready_and_ends_with_a_summary(number: signal.Signals) -> None:
    # A shell that starts something in the background has it ignore SIGINT.
    process = subprocess.Popen(
        ["bash", "-c", 'trap "" INT; exec "$0" serve --banner hi --close fin', PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stderr is not None
        assert process.stdout is not None
        ready = re.fullmatch(r"halfopen: listening on 127\.0\.0\.1:(\d+)\n", process.stderr.readline())
        assert ready is not None
        with connect(int(ready[1])) as client:
            assert read_all(client) == b"hi"
            place = re.escape("{}:{}".format(*client.getsockname()))
        lines = [process.stdout.readline(), process.stdout.readline()]
        assert re.match(rf"\d\d:\d\d:\d\d\.\d{{3}} #0 {place} accepted: waited <10 ms, queue 0 of \d", lines[0])
        assert re.match(rf" {{12}} #0 {place} closed by the server after .*: 0 B in, 2 B out\n", lines[1])
        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert errors == ""
    assert "1 connection accepted; closed by the server 1." in rest
    assert "PassiveOpens" in rest


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_a_connection_is_told_from_its_begin_to_its_end(address: str) -> None:
    with serving("--echo", "--address", address) as server:
        with connect(server.ports[0], address) as client:
            accepted = server.wait_for("accepted")
            client.sendall(b"hello")
            assert client.recv(100) == b"hello"
            here = client.getsockname()[:2]
        closed = server.wait_for("closed")
        summary = server.stop()
    assert (accepted["peer"], accepted["peer_port"], accepted["port"]) == (*here, server.ports[0])
    assert (accepted["syn_data"], accepted["syn_cookie"], accepted["syn_ack_retransmissions"]) == (False, False, 0)
    assert accepted["rtt_us"] > 0
    assert accepted["queue_depth"] == 0
    assert (closed["id"], closed["closed_by"], closed["errno"]) == (accepted["id"], "client", None)
    assert (closed["received_bytes"], closed["sent_bytes"]) == (5, 5)
    assert (summary["accepted"], summary["closed"]["client"], summary["received_bytes"]) == (1, 1, 5)
    assert summary["kernel_deltas"]["PassiveOpens"] >= 1


def test_http_answers_and_keeps_alive_until_asked_to_close() -> None:
    with serving("--http", "hello") as server:
        closing, keeping = get(server.ports[0]), get(server.ports[0], "keep-alive")
    assert closing.startswith(b"HTTP/1.1 200 OK\r\n")
    assert closing.endswith(b"Connection: close\r\n\r\nhello")
    assert keeping.endswith(b"Connection: keep-alive\r\n\r\nhello")


def test_banner_and_http_have_a_text_of_their_own() -> None:
    with serving("--banner", "--close", "fin") as server, connect(server.ports[0]) as client:
        assert read_all(client) == b"220 halfopen\r\n"
    with serving("--http") as server:
        assert get(server.ports[0]).endswith(b"ok\n")


def test_close_by_fin_is_no_reset_though_the_client_has_sent() -> None:
    with serving("--banner", "hi", "--close", "fin", "--accept-delay", "200ms") as server:
        with connect(server.ports[0]) as client:
            client.sendall(b"not asked for")
            assert read_all(client) == b"hi"
        closed = server.wait_for("closed")
    assert (closed["closed_by"], closed["received_bytes"]) == ("server", 13)


def test_close_by_reset() -> None:
    with serving("--banner", r"\x00\r\n", "--close", "rst") as server:
        with pytest.raises(ConnectionResetError), connect(server.ports[0]) as client:
            read_all(client)
        assert server.wait_for("closed")["closed_by"] == "server"


def test_a_client_that_resets_is_an_error_by_name() -> None:
    with serving() as server:
        with connect(server.ports[0]) as client:
            server.wait_for("accepted")
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        closed = server.wait_for("closed")
        summary = server.stop()
    assert (closed["closed_by"], closed["errno"]) == ("error", "ECONNRESET")
    assert (summary["closed"]["error"], summary["errors"]) == (1, {"ECONNRESET": 1})


def test_accept_delay_is_seen_as_waiting() -> None:
    with serving("--accept-delay", "150ms") as server, connect(server.ports[0]):
        accepted = server.wait_for("accepted")
        summary = server.stop()
    assert 130 <= accepted["accept_wait_ms"] < 1000
    assert summary["accept_wait_max_ms"] == accepted["accept_wait_ms"]


def test_without_events_there_is_a_summary_only() -> None:
    arguments = ("--no-events", "--accept-delay", "300ms", "--banner", "--close", "fin")
    with serving(*arguments) as server, connect(server.ports[0]) as client:
        assert read_all(client) == b"220 halfopen\r\n"
        summary = server.stop()
    assert [event["event"] for event in server.seen] == ["listening", "summary"]
    assert summary["queue_max"] == 1


def test_accept_rate_spaces_accepts() -> None:
    with serving("--accept-rate", "20") as server:
        clients = [connect(server.ports[0]) for _ in range(4)]
        times = [server.wait_for("accepted")["at_ns"] for _ in clients]
        for client in clients:
            client.close()
    assert all(later - earlier > 45e6 for earlier, later in itertools.pairwise(times))


def test_never_accept_fills_the_queue_to_one_more_than_the_backlog() -> None:
    with serving("--never-accept", "--backlog", "2") as server:
        clients = [connect(server.ports[0]) for _ in range(3)]
        queue = server.wait_for("queue", depth=3)
        summary = server.stop()
        for client in clients:
            client.close()
    assert queue["limit"] == 2
    assert (summary["accepted"], summary["queue_max"]) == (0, 3)


def test_several_addresses_and_listeners() -> None:
    with serving("--address", "127.0.0.1", "--address", "::1", "--reuse-port", "2", listeners=2) as server:
        for port, address in zip(server.ports, ("127.0.0.1", "::1"), strict=True):
            with connect(port, address):
                assert server.wait_for("accepted")["address"] == address


def test_without_events_the_totals_are_still_counted() -> None:
    with serving("--no-events", "--http", "abc") as server:
        for _ in range(3):
            get(server.ports[0])
        summary = server.stop()
    assert (summary["accepted"], summary["closed"]["server"], summary["errors"]) == (3, 3, None)
    assert [event["event"] for event in server.seen] == ["listening", "summary"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--echo", "--http", "x"], "--echo and --http both say what to answer"),
        (["--never-accept", "--echo"], "with --never-accept nobody is answered: --echo has no meaning"),
        (["--never-accept", "--accept-rate", "5"], "--accept-rate and --never-accept both say when to accept"),
        (["--accept-delay", "soon"], "'soon' is no duration"),
        (["--address", "example.com"], "'example.com' is no address"),
        (["--address", "192.0.2.1"], "cannot bind 192.0.2.1:0: this host has no such address"),
        (["--banner", r"\q"], "unknown escape"),
        (["--port", "70000"], "70000 is not in the range"),
        (["--defer-accept", "0"], "is not a whole number of seconds from 1 to 3600"),
        (["surplus"], "unexpected extra argument"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(halfopen: Halfopen, arguments: list[str], words: str) -> None:
    done = halfopen("serve", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[0]


def test_a_port_in_use_is_said(halfopen: Halfopen) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = halfopen("serve", "--port", str(port))
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        f"bind 127.0.0.1:{port}: it is in use" in done.stderr or f"listen 127.0.0.1:{port}: it is in use" in done.stderr
    )


def test_a_reader_that_goes_away_ends_it() -> None:
    with serving("--banner", "x", "--close", "fin") as server:
        server.output.close()
        while server.process.poll() is None:
            try:
                connect(server.ports[0]).close()
            except OSError:
                break
        assert server.process.wait(timeout=20) == 141


def test_jsonl_is_json_a_line(halfopen: Halfopen) -> None:
    with serving("--http") as server:
        get(server.ports[0])
        server.stop()
    assert [event["event"] for event in server.seen][-3:] == ["accepted", "closed", "summary"]
    assert json.dumps(server.seen)
