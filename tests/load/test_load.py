"""``halfopen load`` as a process on loopback, against ``halfopen serve``."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import PROGRAM, environment
from tests.serve.running import Running, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Halfopen


#: How long a server stalls.
STALL_S = 1.0


@pytest.fixture
def web() -> Iterator[Running]:
    with serving("--no-events", "--http", "abc", "--address", "127.0.0.1", "--address", "::1", listeners=2) as server:
        yield server


def loaded(halfopen: Halfopen, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = halfopen("load", *arguments, "--format", "json")
    assert done.returncode == code, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["schema"] == "halfopen.load/1"
    assert sum(report["outcomes"].values()) <= report["attempted"]
    return report


def test_the_promised_fields(halfopen: Halfopen, web: Running) -> None:
    report = loaded(halfopen, f"127.0.0.1:{web.ports[0]}", "-c", "4", "-n", "300")
    assert report["target"] == f"127.0.0.1:{web.ports[0]}"
    assert (report["attempted"], report["established"], report["completed"]) == (300, 300, 300)
    assert report["outcomes"] == {"established": 300}
    assert report["connections_per_s"] == pytest.approx(300 / report["elapsed_s"], rel=0.2)
    times = report["connect_us"]
    assert 0 < times["p50"] <= times["p90"] <= times["p99"] <= times["max"]
    assert sum(bucket["count"] for bucket in times["buckets"]) == times["count"] == 300
    assert report["first_byte_us"]["p50"] is None
    assert report["client_limit"] in {None, "cpu"}
    assert report["kernel_deltas"]["ActiveOpens"] >= 300
    assert "CurrEstab" not in report["kernel_deltas"]
    assert web.stop()["accepted"] >= 300


@pytest.mark.parametrize(("index", "address"), [(0, "127.0.0.1"), (1, "[::1]")])
@pytest.mark.parametrize("close", ["fin", "rst", "server-first"])
def test_http_with_every_close(halfopen: Halfopen, web: Running, index: int, address: str, close: str) -> None:
    report = loaded(halfopen, f"{address}:{web.ports[index]}", "--http", "/x", "-n", "100", "--close", close)
    assert (report["completed"], report["http_statuses"], report["requests"]) == (100, {"200": 100}, 100)
    assert report["first_byte_us"]["count"] == 100
    assert report["received_bytes"] > 300
    closed = web.stop()["closed"]
    assert closed["server"] == (100 if close == "server-first" else 0)
    assert closed["error"] == (100 if close == "rst" else 0)
    if close != "rst":
        assert report["time_wait"]["created"] >= 100


def test_reuse_says_what_a_pool_would_save(halfopen: Halfopen, web: Running) -> None:
    done = halfopen("load", f"127.0.0.1:{web.ports[0]}", "--http", "/", "--reuse", "10", "-n", "50", "-c", "1")
    assert done.returncode == 0
    assert re.search(r"Keep-alive: a request on a new connection took .* at the median, on an open one", done.stdout)
    assert "A connection pool would save" in done.stdout
    report = loaded(halfopen, f"127.0.0.1:{web.ports[0]}", "--http", "/", "--reuse", "10", "-n", "50", "-c", "1")
    assert (report["requests"], report["reused_response_us"]["count"], report["response_us"]["count"]) == (500, 450, 50)
    assert report["reused_response_us"]["p50"] < report["response_us"]["p50"]


def test_send_waits_for_as_much_as_asked(halfopen: Halfopen) -> None:
    with serving("--no-events", "--echo") as server:
        target = f"127.0.0.1:{server.ports[0]}"
        report = loaded(halfopen, target, "--send", r"PI\x4eG\r\n", "--expect", "6", "-n", "20")
        assert (report["completed"], report["received_bytes"]) == (20, 120)
        assert server.stop()["received_bytes"] == 120
    with serving("--no-events", "--banner", "0123456789", "--close", "fin") as server:
        report = loaded(halfopen, f"127.0.0.1:{server.ports[0]}", "--send", "", "--expect", "eof", "-n", "20")
        assert (report["completed"], report["received_bytes"]) == (20, 200)


def test_an_open_loop_keeps_its_rate_and_counts_from_when_each_was_due(halfopen: Halfopen, web: Running) -> None:
    report = loaded(halfopen, f"127.0.0.1:{web.ports[0]}", "--rate", "500", "--for", "600ms")
    assert (report["attempted"], report["unstarted"]) == (300, 0)
    assert report["elapsed_s"] == pytest.approx(0.6, abs=0.3)
    assert report["lag_us"]["count"] == 300
    assert report["connect_us"]["p50"] >= report["kernel_rtt_us"]["p50"]


def test_a_rate_with_a_total_ends_with_it(halfopen: Halfopen, web: Running) -> None:
    report = loaded(halfopen, f"127.0.0.1:{web.ports[0]}", "--rate", "1000", "-n", "150")
    assert report["attempted"] == 150


def test_a_stalled_server_cannot_hide_from_an_open_loop(halfopen: Halfopen) -> None:
    with serving("--no-events", "--accept-delay", "20ms", "--banner", "x", "--close", "fin") as server:
        target = f"127.0.0.1:{server.ports[0]}"
        report = loaded(halfopen, target, "--rate", "200", "--for", "400ms", "-c", "1", "--send", "")
    assert report["unstarted"] > 20
    assert report["lag_us"]["p99"] > 10 * report["own_lag_us"]["p99"]
    assert report["client_limit"] is None
    assert report["response_us"]["max"] > 150_000
    assert report["first_byte_us"]["p50"] < 100_000


def test_a_stall_of_a_second_is_in_the_latency_of_all_that_were_due_then(halfopen: Halfopen) -> None:
    """A closed loop of one would show it once."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        thread = Thread(target=stalling, args=(server,))
        thread.start()
        port = server.getsockname()[1]
        report = loaded(halfopen, f"127.0.0.1:{port}", "--send", "x", "--rate", "200", "-n", "600")
        thread.join()
    assert (report["completed"], report["unstarted"]) == (600, 0)
    # Those of one second waited for its end, from no time to all of it.
    late = sum(row["count"] for row in report["response_us"]["buckets"] if row["up_to"] > 0.5e6 * STALL_S)
    assert 80 < late < 200
    assert report["response_us"]["max"] == pytest.approx(STALL_S * 1e6, rel=0.2)
    assert report["lag_us"]["max"] < 0.5e6 * STALL_S


def test_a_load_that_is_kept_from_running_does_not_blame_the_server() -> None:
    """Whatever keeps it from the processor: here a signal."""
    with serving("--http", "abc") as server:
        target = f"127.0.0.1:{server.ports[0]}"
        command: list[str] = [str(PROGRAM), "load", target, "--rate", "200", "--for", "2s", "--format", "json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
        for _ in range(40):
            server.wait_for("accepted")
        process.send_signal(signal.SIGSTOP)
        Event().wait(STALL_S)
        process.send_signal(signal.SIGCONT)
        report = json.loads(process.communicate(timeout=20)[0])
    assert (report["client_limit"], report["unstarted"]) == ("cpu", 0)
    assert report["own_lag_us"]["max"] == pytest.approx(STALL_S * 1e6, rel=0.3)
    assert re.match(r"1\d connections began [\d.]+ (m?s) or more after they were due", report["client_limit_why"])


def stalling(server: socket.socket) -> None:
    """Answer 600 connections, and none for a second when a third is done."""
    for number in range(600):
        if number == 200:
            Event().wait(STALL_S)
        connection, _ = server.accept()
        with connection:
            connection.sendall(connection.recv(1))


def test_a_closed_loop_ends_with_its_time(halfopen: Halfopen, web: Running) -> None:
    report = loaded(halfopen, f"127.0.0.1:{web.ports[0]}", "-c", "2", "--for", "300ms")
    assert 0.29 < report["elapsed_s"] < 5
    assert report["attempted"] == report["completed"] > 10


def test_a_server_that_resets_keeps_no_time_wait(halfopen: Halfopen) -> None:
    with serving("--no-events", "--http", "abc", "--close", "rst") as server:
        target = f"127.0.0.1:{server.ports[0]}"
        waits = loaded(halfopen, target, "--http", "-n", "50", "-c", "1", "--close", "server-first")
        # Here either may be the first.
        races = loaded(halfopen, target, "--http", "-n", "50", "-c", "1", "--close", "fin")
        shown = halfopen("load", target, "--http", "-n", "50", "-c", "1", "--close", "server-first").stdout
    assert waits["completed"] == waits["closed_by_server"] == waits["reset_by_server"] == 50
    assert (races["completed"], races["closed_by_server"]) == (50, races["reset_by_server"])
    assert "closed by the server's RST: nobody keeps TIME_WAIT" in " ".join(shown.split())


def test_refused_connections_are_named_and_nobody_else_is_blamed(halfopen: Halfopen) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    report = loaded(halfopen, f"127.0.0.1:{port}", "-n", "50", code=1)
    assert report["outcomes"] == {"refused": 50}
    assert report["failures"] == [{"phase": "connect", "name": "refused", "errno": "ECONNREFUSED", "count": 50}]
    assert (report["client_limit"], report["connect_us"]["p50"]) == (None, None)
    shown = halfopen("load", f"127.0.0.1:{port}", "-n", "50").stdout
    assert shown.startswith(f"127.0.0.1:{port}: none of 50 connects succeeded\n")
    assert "ECONNREFUSED" in shown


def test_a_name_without_an_address_is_unreachable_and_no_wrong_command_line(halfopen: Halfopen) -> None:
    done = halfopen("load", "a..b:80")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "halfopen: cannot resolve a..b: it is no host name\n"


def test_without_a_port_it_is_that_of_the_protocol(halfopen: Halfopen) -> None:
    for arguments, target in (([], "127.0.0.1:443"), (["--http"], "127.0.0.1:80")):
        done = halfopen("load", "127.0.0.1", "-n", "1", "--timeout", "1s", *arguments, "--format", "json")
        assert json.loads(done.stdout)["target"] == target


def test_an_address_that_may_be_meant_with_a_port_is_said_to_be_none(halfopen: Halfopen) -> None:
    done = halfopen("load", "fd00::1:80", "--rate", "1")
    assert "port 80 of fd00::1 is written [fd00::1]:80" in done.stderr


def test_a_name_with_two_addresses_is_loaded_where_somebody_answers(halfopen: Halfopen) -> None:
    with serving("--no-events", "--address", "127.0.0.1") as server:
        report = loaded(halfopen, f"localhost:{server.ports[0]}", "-n", "5")
    assert (report["address"], report["established"]) == ("127.0.0.1", 5)


def test_answers_that_are_wrong_late_or_cut_are_told_apart(halfopen: Halfopen) -> None:
    with serving("--no-events", "--banner", r"SSH-2.0-x\r\n\r\n") as ssh:
        report = loaded(halfopen, f"127.0.0.1:{ssh.ports[0]}", "--http", "/", "-n", "5")
    assert [(row["phase"], row["name"], row["count"]) for row in report["failures"]] == [
        ("exchange", "bad_response", 5)
    ]
    with serving("--no-events") as silent:
        target = f"127.0.0.1:{silent.ports[0]}"
        report = loaded(halfopen, target, "--http", "/", "-n", "5", "--timeout", "200ms")
    assert [(row["phase"], row["name"], row["count"]) for row in report["failures"]] == [("exchange", "timeout", 5)]
    assert (report["established"], report["completed"]) == (5, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_gives_the_report_so_far(number: signal.Signals) -> None:
    with serving() as silent:
        process = subprocess.Popen(
            [
                PROGRAM,
                "load",
                f"127.0.0.1:{silent.ports[0]}",
                "--http",
                "/",
                "-c",
                "7",
                "--timeout",
                "1h",
                "--format",
                "json",
            ],
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        for _ in range(7):
            silent.wait_for("accepted")
        process.send_signal(number)
        output, _ = process.communicate(timeout=20)
    report = json.loads(output)
    assert process.returncode == 130
    assert (report["interrupted"], report["established"], report["completed"], report["abandoned"]) == (True, 7, 0, 7)


def test_what_an_interrupt_forestalls_was_never_due() -> None:
    with serving() as server:
        target = f"127.0.0.1:{server.ports[0]}"
        command: list[str] = [str(PROGRAM), "load", target, "--rate", "20", "--for", "1h", "--format", "json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment())
        for _ in range(3):
            server.wait_for("accepted")
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    report = json.loads(output)
    assert report["interrupted"]
    assert report["attempted"] + report["unstarted"] <= 20 * report["elapsed_s"] + 2


def test_several_threads_and_sources_share_the_work(halfopen: Halfopen, web: Running) -> None:
    target = f"127.0.0.1:{web.ports[0]}"
    report = loaded(
        halfopen, target, "--threads", "2", "--source", "127.0.1.0/30", "--source", "127.0.0.9", "-n", "120", "-c", "12"
    )
    assert report["completed"] == 120
    assert report["plan"]["sources"] == ["127.0.1.1", "127.0.1.2", "127.0.0.9"]
    assert report["plan"]["threads"] == 2


def test_each_source_is_used(halfopen: Halfopen) -> None:
    with serving() as server:
        loaded(halfopen, f"127.0.0.1:{server.ports[0]}", "--source", "127.0.0.5,127.0.0.6", "-n", "10", "-c", "4")
        server.stop()
    peers = {event["peer"] for event in server.seen if event["event"] == "accepted"}
    assert peers == {"127.0.0.5", "127.0.0.6"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "missing argument"),
        (["127.0.0.1:80", "--rate", "5"], "--rate goes on for ever"),
        (["127.0.0.1:80", "--rate", "5", "-n", "5", "--for", "1s"], "--for and -n say the same thing"),
        (["127.0.0.1:80", "--http", "/", "--send", "x"], "--http and --send are two different requests"),
        (["127.0.0.1:80", "--http", "x"], "--http 'x' is no path: it begins with /"),
        (["127.0.0.1:80", "--http", "/a b"], "blanks and what is not ASCII"),
        (["127.0.0.1:80", "--reuse", "3"], "it needs --http"),
        (["127.0.0.1:80", "--expect", "3"], "--expect is the answer to --send"),
        (["127.0.0.1:80", "--send", r"\y"], "unknown escape"),
        (["127.0.0.1:80", "--for", "0"], "--for 0 s is out of range"),
        (["127.0.0.1:80", "-c", "0"], "0 is not in the range"),
        (["127.0.0.1:80", "--threads", "many"], "'many' is no whole number"),
        (["127.0.0.1:80", "--source", "here"], "'here' is no address"),
        (["127.0.0.1:80", "--source", "192.0.2.7"], "--source 192.0.2.7 cannot be used: it is no address of this host"),
        (["127.0.0.1:80", "--source", "::1"], "--source and the target are of two families"),
        (["127.0.0.1:0"], "is no port"),
        (["http://127.0.0.1/"], "is a URL, not a target"),
        (["127.0.0.1:80", "--close", "never"], "'never' is not one of"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(halfopen: Halfopen, arguments: list[str], words: str) -> None:
    done = halfopen("load", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words.lower() in done.stderr.splitlines()[0].lower()


@pytest.mark.parametrize("target", ["192.0.2.1:80", "[2001:db8::1]:80", "100.64.0.1:80", "0.0.0.0:80", "224.0.0.1:80"])
def test_addresses_of_others_are_refused_at_once(halfopen: Halfopen, target: str) -> None:
    begin = time.monotonic()
    done = halfopen("load", target)
    assert (done.returncode, done.stdout) == (2, "")
    assert "neither loopback nor private" in done.stderr
    assert "--yes-i-may" in done.stderr
    assert time.monotonic() - begin < 5
