"""``halfopen load`` in namespaces: each way in which connects fail, and each limit of the client, for real."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import PROGRAM, ROOT, environment
from tests.probe.network import FAR, Namespace, Pair, target
from tests.serve.running import serving

if TYPE_CHECKING:
    from pathlib import Path

BOTH = pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])


def loaded(namespace: Namespace, *arguments: str, code: int = 0, prefix: tuple[str, ...] = ()) -> dict[str, Any]:
    done = subprocess.run(
        ["nsenter", f"--net={namespace.path}", *prefix, PROGRAM, "load", *arguments, "--format", "json"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(),
    )
    assert done.returncode == code, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def within(namespace: Namespace) -> tuple[str, ...]:
    return ("nsenter", f"--net={namespace.path}")


@BOTH
def test_ten_ports_are_the_clients_limit(net: Pair, far: str) -> None:
    with serving("--no-events", "--address", far, within=within(net.far)) as server:
        net.near.sysctl("ip_local_port_range", "40000 40009")
        net.near.sysctl("tcp_tw_reuse", "0")
        report = loaded(net.near, target(far, server.ports[0]), "-n", "30", "-c", "2", "--close", "fin")
        assert report["client_limit"] == "ports"
        assert "10 local ports" in report["client_limit_why"]
        assert report["outcomes"] == {"established": 10, "not_sent": 20}
        assert [(row["errno"], row["count"]) for row in report["failures"]] == [("EADDRNOTAVAIL", 20)]
        assert report["time_wait"]["left"] == report["time_wait"]["created"] == 10
        shown = net.near.halfopen("load", target(far, server.ports[0]), "-n", "5", "--close", "fin").stdout
        assert "The client is the limit (ports), not the server: 5 connects found all 10 local ports" in shown


@BOTH
def test_another_source_address_has_ports_of_its_own(net: Pair, far: str) -> None:
    version, more = ("-6", "fd77::9") if ":" in far else ("-4", "10.77.0.9")
    net.near.run(f"ip {version} addr add {more}/{64 if ':' in far else 24} dev near" + (" nodad" if ":" in far else ""))
    with serving("--no-events", "--address", far, within=within(net.far)) as server:
        net.near.sysctl("ip_local_port_range", "40000 40009")
        net.near.sysctl("tcp_tw_reuse", "0")
        sources = f"{net.near_of(far)},{more}"
        report = loaded(
            net.near, target(far, server.ports[0]), "-n", "20", "-c", "2", "--close", "fin", "--source", sources
        )
    assert (report["completed"], report["client_limit"], report["failures"]) == (20, None, [])


@BOTH
def test_a_reset_close_needs_no_more_ports_than_are_open(net: Pair, far: str) -> None:
    with serving("--no-events", "--address", far, within=within(net.far)) as server:
        net.near.sysctl("ip_local_port_range", "40000 40009")
        report = loaded(net.near, target(far, server.ports[0]), "-n", "200", "-c", "4", "--close", "rst")
    assert (report["completed"], report["time_wait"]["left"]) == (200, 0)


@BOTH
def test_answers_that_never_come_leave_no_time_wait_either(net: Pair, far: str) -> None:
    with serving("--never-accept", "--backlog", "64", "--address", far, within=within(net.far)) as server:
        report = loaded(
            net.near, target(far, server.ports[0]), "-n", "40", "-c", "20", "--send", "x", "--timeout", "0.3"
        )
    assert report["completed"] == 0
    assert report["time_wait"] == {"before": 0, "created": 0, "left": 0}


@BOTH
@pytest.mark.parametrize(("close", "near", "over"), [("server-first", 0, 40), ("fin", 40, 0)])
def test_who_closes_first_keeps_time_wait(net: Pair, far: str, close: str, near: int, over: int) -> None:
    with serving("--no-events", "--http", "--address", far, within=within(net.far)) as server:
        report = loaded(net.near, target(far, server.ports[0]), "--http", "-n", "40", "--close", close)
        deltas = server.stop()["kernel_deltas"]
    assert report["completed"] == 40
    assert report["time_wait"] == {"before": 0, "created": near, "left": near}
    assert deltas.get("TW", 0) == over
    assert report["kernel_deltas"].get("PassiveOpens", 0) == 0


@BOTH
def test_close_fin_keeps_no_time_wait_where_the_server_closed_first(net: Pair, far: str) -> None:
    with serving(
        "--no-events", "--banner", "bye", "--close", "fin", "--address", far, within=within(net.far)
    ) as server:
        to = target(far, server.ports[0])
        ending = ("--expect", "eof", "--close", "fin")
        arguments = ("load", to, "-n", "40", "--send", "", *ending)
        report = json.loads(net.near.halfopen(*arguments, "--format", "json").stdout)
        shown = net.near.halfopen(*arguments).stdout
        deltas = server.stop()["kernel_deltas"]
    assert (report["completed"], report["closed_by_server"]) == (40, 40)
    assert (report["time_wait"]["left"], deltas["TW"]) == (0, 80)
    assert "closed by the server's FIN first: the server keeps TIME_WAIT" in " ".join(shown.split())


@BOTH
def test_sockets_that_wait_for_the_server_to_close_need_no_descriptors_that_connections_need(
    net: Pair, far: str
) -> None:
    with serving("--never-accept", "--backlog", "400", "--address", far, within=within(net.far)) as server:
        # Room for 20 connections, and not for as many that the server has not closed.
        low = ("prlimit", "--nofile=42:42")
        report = loaded(net.near, target(far, server.ports[0]), "-n", "300", "-c", "20", "--close", "fin", prefix=low)
    assert (report["completed"], report["failures"]) == (300, [])
    assert report["client_limit"] in {None, "cpu"}


@BOTH
def test_a_low_limit_on_descriptors_is_the_clients_limit(net: Pair, far: str) -> None:
    _, to = net.listen(far, backlog=200)
    low = ("prlimit", "--nofile=40:40")
    report = loaded(net.near, to, "-n", "100", "-c", "100", "--http", "--timeout", "300ms", prefix=low)
    assert report["client_limit"] == "descriptors"
    assert "the limit is 40" in report["client_limit_why"]
    assert 0 < report["attempted"] <= 100


@BOTH
@pytest.mark.parametrize("error", [errno.ENOBUFS, errno.ENOMEM])
def test_no_memory_for_sockets_is_the_clients_limit(net: Pair, far: str, error: int) -> None:
    _, to = net.listen(far)
    refusing = (sys.executable, str(ROOT / "tests/refusing_sockets.py"), "nonblocking", str(error))
    report = loaded(net.near, to, "-n", "20", "-c", "4", code=1, prefix=refusing)
    assert (report["client_limit"], report["attempted"]) == ("memory", 0)
    assert "the kernel had no memory for more sockets" in report["client_limit_why"]


@BOTH
def test_refused(net: Pair, far: str) -> None:
    report = loaded(net.near, net.closed_port(far), "-n", "20", code=1)
    assert (report["outcomes"], report["client_limit"]) == ({"refused": 20}, None)
    assert report["kernel_deltas"]["AttemptFails"] == 20


@BOTH
def test_silence_is_a_timeout_and_the_syns_were_sent_again(net: Pair, far: str) -> None:
    _, to = net.listen(far)
    net.far.nft("input", "meta l4proto tcp drop")
    report = loaded(net.near, to, "-n", "3", "-c", "3", "--timeout", "1300ms", code=1)
    assert report["outcomes"] == {"timeout": 3}
    assert (report["syn_retransmitted_connections"], report["syn_retransmissions"]) == (3, 3)
    assert report["kernel_deltas"]["TCPSynRetrans"] == 3
    assert report["kernel_rtt_us"]["count"] == 0


@BOTH
def test_an_icmp_error_is_told_from_silence(net: Pair, far: str) -> None:
    _, to = net.listen(far)
    reject = "icmpv6 type admin-prohibited" if ":" in far else "icmp type host-unreachable"
    net.far.nft("input", f"meta l4proto tcp reject with {reject}")
    # On veth the error may come while connect() still holds the socket, which it then does not end.
    report = loaded(net.near, to, "-n", "3", "--timeout", "500ms", code=1)
    assert report["outcomes"] == {"unreachable": 3}
    (failure,) = report["failures"]
    assert failure["errno"] == ("EACCES" if ":" in far else "EHOSTUNREACH")


@BOTH
def test_what_this_host_forbids_is_no_answer(net: Pair, far: str) -> None:
    _, to = net.listen(far)
    net.near.run(f"ip {'-6' if ':' in far else '-4'} route add prohibit {far} metric 1")
    report = loaded(net.near, to, "-n", "3", code=1)
    assert report["outcomes"] == {"not_sent": 3}
    assert {row["errno"] for row in report["failures"]} == {"EACCES"}


@BOTH
def test_a_slow_server_is_not_cleared_by_an_open_loop(net: Pair, far: str) -> None:
    slow = ("--http", "--accept-rate", "20", "--no-events")
    with serving(*slow, "--address", far, within=within(net.far)) as server:
        to = target(far, server.ports[0])
        report = loaded(net.near, to, "--rate", "60", "--for", "1s", "--http", "--timeout", "20s")
    assert (report["completed"], report["client_limit"]) == (60, None)
    assert report["first_byte_us"]["p99"] > 1_000_000


@BOTH
def test_a_server_that_was_to_close_first_and_does_not_keeps_nothing(net: Pair, far: str) -> None:
    with serving("--echo", "--no-events", "--address", far, within=within(net.far)) as server:
        to = target(far, server.ports[0])
        arguments = ("load", to, "-n", "4", "--close", "server-first", "--timeout", "300ms")
        shown = " ".join(net.near.halfopen(*arguments).stdout.split())
    assert "4 connections in" in shown
    assert "; 4 of the 4 failed later" in shown
    assert "the server did not close in time, which --close server-first waits for" in shown
    assert "did so with 0 of 4: this side closed the others, and keeps their TIME_WAIT" in shown


@BOTH
def test_a_full_accept_queue_lets_a_few_in_and_the_server_says_why(net: Pair, far: str) -> None:
    with serving("--never-accept", "--backlog", "2", "--address", far, within=within(net.far)) as server:
        to = target(far, server.ports[0])
        report = loaded(net.near, to, "-n", "8", "-c", "8", "--http", "--timeout", "1300ms")
        deltas = server.stop()["kernel_deltas"]
    assert report["outcomes"]["established"] >= 3
    assert report["established"] < 8 or report["completed"] == 0
    assert report["client_limit"] is None
    assert deltas["ListenOverflows"] > 0
    assert "ListenOverflows" not in report["kernel_deltas"]


@BOTH
def test_a_lost_syn_costs_a_second_and_is_counted(net: Pair, far: str) -> None:
    _, to = net.listen(far)
    net.far.run("nft add table inet once")
    net.far.run("nft add set inet once seen { type inet_service ; flags dynamic ; size 1000 ; }")
    net.far.run("nft add chain inet once c { type filter hook input priority 0 ; }")
    net.far.run("nft add rule inet once c tcp flags & (syn|ack) == syn tcp sport != @seen add @seen { tcp sport } drop")
    report = loaded(net.near, to, "-n", "4", "-c", "4")
    assert (report["completed"], report["syn_retransmissions"]) == (4, 4)
    assert report["connect_us"]["p50"] > 1_000_000
    assert report["kernel_rtt_us"]["count"] == 0


def test_a_refused_target_gets_no_packet(net: Pair) -> None:
    net.near.run("ip route add default via 10.77.0.2")
    net.near.run("nft add table inet watch")
    net.near.run("nft add chain inet watch out { type filter hook output priority 0 ; }")
    net.near.run("nft add rule inet watch out ip daddr 192.0.2.0/24 counter")
    assert net.near.halfopen("load", "192.0.2.1:80").returncode == 2
    assert "counter packets 0 bytes 0" in net.near.run("nft list table inet watch")
    report = loaded(net.near, "192.0.2.1:80", "-n", "1", "--timeout", "200ms", "--yes-i-may", code=1)
    assert report["attempted"] == 1
    assert "counter packets 0 " not in net.near.run("nft list table inet watch")


@pytest.mark.parametrize("stranger", ["192.0.2.1", "2001:db8::1"])
def test_a_name_of_which_one_address_is_somebody_elses_gets_no_packet(net: Pair, tmp_path: Path, stranger: str) -> None:
    """The harmless address answers, and is not the one that is asked for in particular."""
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{FAR[0]} both\n{stranger} both\n")
    server, to = net.listen(FAR[0])
    port = to.rpartition(":")[2]
    done = net.near.halfopen("load", f"both:{port}", "-n", "1", hosts=hosts)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"will not load {stranger} (both): neither loopback nor private" in done.stderr
    server.settimeout(0.1)
    with pytest.raises(TimeoutError):
        server.accept()
    if ":" in stranger:
        assert net.near.halfopen("load", f"both:{port}", "-n", "1", "-4", hosts=hosts).returncode == 0
