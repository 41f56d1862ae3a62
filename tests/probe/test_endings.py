"""``halfopen probe`` as a process, against every way in which a connect can end."""

from __future__ import annotations

import re
import socket

import pytest
from tests.probe import network
from tests.probe.network import FAR, Pair
from tests.probe.running import one, records

BOTH = pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])


@BOTH
def test_established(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    record, code, _ = one(net, target)
    assert code == 0
    assert (record["source"], record["outcome"], record["errno"]) == ("probe", "established", None)
    assert (record["client"], record["server"]) == (net.near_of(far), far)
    connection, peer = server.accept()
    connection.close()
    assert record["client_port"] == peer[1]
    assert (record["syn_sent"], record["retransmit_wait_us"]) == (1, 0)
    assert 0 < record["syn_to_syn_ack_us"] < record["connect_us"]
    assert (record["resolve_us"], record["first_byte_us"]) == (None, None)
    assert record["server_options"]["sack_permitted"] is True


@BOTH
def test_refused(net: Pair, far: str) -> None:
    target = net.closed_port(far)
    record, code, text = one(net, target)
    assert code == 1
    assert (record["outcome"], record["errno"], record["icmp_type"]) == ("refused", "ECONNREFUSED", None)
    assert (record["syn_sent"], record["syn_to_syn_ack_us"]) == (1, None)
    assert "nothing listens on that port" in text


@BOTH
def test_silence(net: Pair, far: str) -> None:
    _, target = net.listen(far)
    net.far.nft("input", "meta l4proto tcp drop")
    record, code, text = one(net, "--timeout", "200ms", target)
    assert code == 1
    assert (record["outcome"], record["errno"], record["syn_sent"]) == ("timeout", None, 1)
    assert record["connect_us"] == pytest.approx(200_000, abs=100_000)
    assert re.match(r"no answer within \d+ ms, 1 SYN sent;", text)
    assert "No SYN-ACK, no RST, no ICMP" in text


@BOTH
def test_the_kernels_own_timeout(net: Pair, far: str) -> None:
    _, target = net.listen(far)
    net.far.nft("input", "meta l4proto tcp drop")
    net.near.sysctl("tcp_syn_linear_timeouts", "0")
    record, code, _ = one(net, "--syn-retries", "1", "--timeout", "20s", target)
    assert code == 1
    assert (record["outcome"], record["errno"], record["syn_sent"]) == ("timeout", "ETIMEDOUT", 2)
    assert record["connect_us"] == pytest.approx(3e6, rel=0.1)


@pytest.mark.parametrize(
    ("rule", "errno", "words"),
    [
        ("reject with icmpx port-unreachable", "ECONNREFUSED", "port unreachable"),
        ("reject with icmpx admin-prohibited", None, "administratively prohibited"),
        ("reject with icmpx host-unreachable", "EHOSTUNREACH", "unreachable"),
    ],
)
@BOTH
def test_an_icmp_error_by_a_packet_filter(net: Pair, far: str, rule: str, errno: str | None, words: str) -> None:
    _, target = net.listen(far)
    net.far.nft("input", f"meta l4proto tcp {rule}")
    record, code, text = one(net, target)
    assert code == 1
    assert (record["outcome"], record["icmp_from"]) == ("unreachable", far)
    assert record["errno"] == (errno or ("EACCES" if ":" in far else "EHOSTUNREACH"))
    assert words in text
    assert "from the target itself: it is up" in text


def test_an_icmp_error_by_routing(net: Pair) -> None:
    net.far.sysctl("ip_forward", "1")
    net.near.run("ip route add 10.78.0.0/24 via 10.77.0.2")
    record, code, text = one(net, "10.78.0.9:80")
    assert code == 1
    assert (record["outcome"], record["errno"]) == ("unreachable", "ENETUNREACH")
    assert (record["icmp_type"], record["icmp_code"], record["icmp_from"]) == (3, 0, FAR[0])
    assert "10.77.0.2, a router on the way: the target was never reached" in text


def test_an_icmp_error_by_routing_of_ipv6(net: Pair) -> None:
    net.far.run("sysctl -q -w net.ipv6.conf.all.forwarding=1")
    net.near.run("ip -6 route add fd78::/64 via fd77::2")
    record, code, _ = one(net, "[fd78::9]:80")
    assert code == 1
    assert (record["outcome"], record["errno"]) == ("unreachable", "ENETUNREACH")
    assert (record["icmp_type"], record["icmp_code"], record["icmp_from"]) == (1, 0, FAR[1])


@pytest.mark.parametrize("nobody", ["10.77.0.99:80", "[fd77::99]:80"])
def test_no_neighbour(net: Pair, nobody: str) -> None:
    record, code, text = one(net, "--timeout", "20s", nobody)
    assert code == 1
    assert (record["outcome"], record["errno"]) == ("unreachable", "EHOSTUNREACH")
    assert record["icmp_from"] == record["client"]
    assert "no neighbour answers ARP or ND" in text


@pytest.mark.parametrize("away", ["192.0.2.1:80", "[2001:db8::1]:80"])
def test_no_route(net: Pair, away: str) -> None:
    record, code, text = one(net, away)
    assert code == 1
    assert (record["outcome"], record["errno"], record["syn_sent"]) == ("unreachable", "ENETUNREACH", 0)
    assert (record["client"], record["client_port"], record["icmp_type"]) == (None, None, None)
    assert "nothing sent (ENETUNREACH)" in text


@pytest.mark.parametrize(
    ("kind", "errno", "words"),
    [
        ("prohibit", "EACCES", "`prohibit` route"),
        ("blackhole", "EINVAL", "`blackhole` route"),
        ("unreachable", "EHOSTUNREACH", "`unreachable`"),
    ],
)
@pytest.mark.parametrize("target", ["192.0.2.1:80", "[2001:db8::1]:80"])
def test_what_this_host_forbids(net: Pair, kind: str, errno: str, words: str, target: str) -> None:
    net.near.run(f"ip route add {kind} {'2001:db8::/64' if '[' in target else '192.0.2.0/24'}")
    record, code, text = one(net, target)
    assert code == 1
    assert (record["outcome"], record["errno"], record["syn_sent"]) == ("unreachable", errno, 0)
    assert words in text


@BOTH
def test_the_network_is_down(net: Pair, far: str) -> None:
    net.near.run("ip link set near down")
    record, code, text = one(net, network.target(far, 80))
    assert (code, record["errno"]) == (1, "ENETUNREACH")
    assert "the interface of the only one is down" in text


@BOTH
def test_no_ports_left(net: Pair, far: str) -> None:
    _, target = net.listen(far)
    net.near.sysctl("ip_local_port_range", "50000 50009")
    net.near.run("sysctl -q -w net.ipv4.tcp_tw_reuse=0")
    done = net.near.halfopen("probe", "--format", "jsonl", "-c", "11", "-i", "0", target)
    assert done.returncode == 0  # it was reached
    *first, last = records(done)
    assert [record["outcome"] for record in first] == ["established"] * 10
    assert (last["outcome"], last["errno"], last["syn_sent"]) == ("unreachable", "EADDRNOTAVAIL", 0)
    assert (last["client"], last["client_port"]) == (net.near_of(far), None)
    _, code, text = one(net, target)
    assert code == 1
    assert "nothing sent (EADDRNOTAVAIL); EADDRNOTAVAIL: no local port is free for this destination" in text


@BOTH
def test_a_port_that_is_taken(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    family = socket.AF_INET6 if ":" in far else socket.AF_INET
    with net.near.inside(lambda: socket.socket(family)) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((net.near_of(far), 45678))
        other.connect(server.getsockname())
        record, code, text = one(net, "--source-port", "45678", target)
    assert (code, record["errno"], record["syn_sent"]) == (1, "EADDRNOTAVAIL", 0)
    assert "the local port asked for is taken" in text


@BOTH
def test_an_old_connection_of_the_same_port(net: Pair, far: str) -> None:
    """The server never closed its side: it answers the SYN with an ACK, and the kernel sends the SYN again at once."""
    _, target = net.listen(far)
    one(net, "--source-port", "45678", target)
    net.near.wait_until(lambda: "FIN-WAIT" not in net.near.run("ss -Htan state fin-wait-1"))
    record, code, text = one(net, "--source-port", "45678", target)
    assert (code, record["outcome"], record["syn_sent"]) == (0, "established", 2)
    assert record["retransmit_wait_us"] < 500_000
    assert "met an old connection of the same port" in text


@BOTH
def test_a_full_accept_queue(net: Pair, far: str) -> None:
    server, target = net.listen(far, backlog=0)
    net.fill(server, far)
    record, code, text = one(net, "--timeout", "200ms", target)
    assert (code, record["outcome"]) == (1, "timeout")
    assert "its accept queue is full" in text


@BOTH
def test_a_lost_syn(net: Pair, far: str) -> None:
    _, target = net.listen(far)
    limit = "meta l4proto tcp tcp flags & (syn|ack) == syn limit rate over 1/hour burst 1 packets"
    net.far.nft("input", f"{limit} accept", "meta l4proto tcp tcp flags & (syn|ack) == syn drop")
    record, code, text = one(net, target)
    assert code == 0
    assert (record["outcome"], record["syn_sent"], record["syn_to_syn_ack_us"]) == ("established", 2, None)
    assert record["retransmit_wait_us"] == pytest.approx(1e6, rel=0.1)
    assert "(first SYN lost: 1" in text
    assert "s back-off + " in text
    assert "the kernel's own round trip is not valid" in text
