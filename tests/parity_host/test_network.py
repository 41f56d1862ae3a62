"""Interfaces, routes, remembered peers and tracked connections, beside what ``ip`` and the kernel's own files say."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.parity_host.namespace import Namespace, as_nobody, call, needs_root

from halfopen import _core
from halfopen.errors import PrivilegeError
from halfopen.model.network import RoutingRule
from halfopen.rules.policy_routing import text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = needs_root

SET_UP = """\
link add near type veth peer name far
link set near up mtu 1400
link set far up
addr add 192.0.2.1/24 dev near
addr add 2001:db8::1/64 dev near nodad
addr add 198.51.100.1 peer 198.51.100.2 dev far
route add default via 192.0.2.254 metric 7 rto_min 50ms initcwnd 20 advmss 1200
route add 203.0.113.0/24 via inet6 2001:db8::9 dev near
route add 10.0.0.0/8 nexthop via 192.0.2.2 dev near nexthop via 198.51.100.2 dev far
route add blackhole 10.9.0.0/16
route add 10.8.0.0/16 via 192.0.2.3 table 1234 fastopen_no_cookie 1 quickack 1
route add local 127.8.0.0/16 dev lo table local
route add 2001:db8:1::/48 via 2001:db8::2 initrwnd 30 src 2001:db8::1
route add unreachable 2001:db8:2::/48
"""
RULES = """\
rule add pref 10 not from 10.0.0.0/8 fwmark 0x1/0xff lookup 1234
rule add pref 11 to 192.0.2.0/24 ipproto tcp dport 80-90 prohibit
rule add pref 12 from all iif near goto 32766
rule add pref 13 from all lookup main suppress_prefixlength 0
"""
OWN_KINDS = {"local", "broadcast", "anycast", "multicast"}


@pytest.fixture(scope="module")
def namespace() -> Iterator[Namespace]:
    made = Namespace()
    made.call("ip", "-batch", "-", text=SET_UP)
    yield made
    made.close()


def theirs(namespace: Namespace, *command: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(namespace.call("ip", "-j", "-N", *command))
    return found


def test_routing_rules_in_the_words_of_ip() -> None:
    namespace = Namespace()
    try:
        namespace.call("ip", "-batch", "-", text=SET_UP + RULES)
        namespace.call("ip", "-6", "rule", "add", "pref", "14", "from", "2001:db8::/32", "oif", "far", "unreachable")
        rows, left_out = namespace.run(_core.network_rules)
        told = namespace.call("ip", "rule").splitlines() + namespace.call("ip", "-6", "rule").splitlines()
        assert left_out == 0
        assert namespace.run(lambda: _core.network_rules(2))[1] == len(rows) - 2
    finally:
        namespace.close()
    rules = [RoutingRule(**row) for row in rows]
    assert [rule.priority for rule in rules] == sorted(rule.priority for rule in rules)
    assert sorted(f"{rule.priority}: {text_of(rule)}" for rule in rules) == sorted(
        " ".join(line.split()) for line in told
    )


def test_a_link_whose_other_end_is_down_has_no_carrier() -> None:
    def carriers() -> dict[str, tuple[bool, bool]]:
        return {one["name"]: (one["up"], one["carrier"]) for one in _core.network_interfaces() if one["name"] != "lo"}

    namespace = Namespace()
    try:
        namespace.call("ip", "-batch", "-", text=SET_UP)
        assert namespace.run(carriers) == {"near": (True, True), "far": (True, True)}
        namespace.call("ip", "link", "set", "far", "down")
        assert namespace.run(carriers) == {"near": (True, False), "far": (False, False)}
    finally:
        namespace.close()


def test_interfaces_and_their_addresses(namespace: Namespace) -> None:
    mine = namespace.run(_core.network_interfaces)
    expected = {
        one["ifname"]: (
            one["ifindex"],
            "UP" in one["flags"],
            one["mtu"],
            sorted(f"{address['local']}/{address['prefixlen']}" for address in one["addr_info"]),
        )
        for one in theirs(namespace, "addr")
    }
    assert {one["name"]: (one["index"], one["up"], one["mtu"], sorted(one["addresses"])) for one in mine} == expected
    assert {"lo", "near", "far"} <= set(expected)


KINDS = {"1": "unicast", "2": "local", "6": "blackhole", "7": "unreachable"}


def expected_routes(namespace: Namespace, family: int) -> Iterator[tuple[object, ...]]:
    for one in theirs(namespace, f"-{family}", "-d", "route", "show", "table", "all"):
        kind = one.get("type", "unicast")
        if str(one.get("table", "254")) in {"local", "255"} and one["protocol"] in {"kernel", "2"}:
            continue
        destination = one["dst"]
        if destination != "default" and "/" not in destination:
            destination += "/32" if family == 4 else "/128"
        for hop in one.get("nexthops", [one]):
            gateway = hop.get("gateway") or hop.get("via", {}).get("host")
            yield (
                destination,
                KINDS.get(str(kind), kind),
                hop.get("dev"),
                gateway,
                one.get("prefsrc"),
                int({"main": 254, "local": 255}.get(one.get("table", "main"), one.get("table", 254))),
                one.get("metric"),
            )


@pytest.mark.parametrize("family", [4, 6])
def test_routes_of_every_table(namespace: Namespace, family: int) -> None:
    routes, left_out = namespace.run(_core.network_routes)
    tell = itemgetter("destination", "kind", "interface", "gateway", "source", "table", "metric")
    mine: list[tuple[object, ...]] = [tell(one) for one in routes if one["family"] == family]
    assert sorted(mine, key=repr) == sorted(expected_routes(namespace, family), key=repr)
    assert left_out == 0


def test_the_attributes_of_routes(namespace: Namespace) -> None:
    routes, _ = namespace.run(_core.network_routes)
    with_any = {one["destination"]: one["attributes"] for one in routes if one["attributes"]}
    assert with_any == {
        "default": {"advmss": 1200, "rto_min": 50, "initcwnd": 20},
        "10.8.0.0/16": {"fastopen_no_cookie": 1, "quickack": 1},
        "2001:db8:1::/48": {"initrwnd": 30},
    }


def test_routes_beyond_the_limit_are_counted(namespace: Namespace) -> None:
    everything, _ = namespace.run(_core.network_routes)
    some, left_out = namespace.run(lambda: _core.network_routes(2))
    assert (some, left_out) == (everything[:2], len(everything) - 2)


def exchange(count: int = 20) -> None:
    """Connections that leave something to remember: the kernel writes it when one closes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(count):
            with socket.create_connection(server.getsockname()) as client, server.accept()[0] as accepted:
                client.sendall(b"x" * 1000)
                accepted.recv(1000)
                accepted.sendall(b"y")
                client.recv(1)


def test_remembered_peers(namespace: Namespace) -> None:
    namespace.run(exchange)
    peers, left_out = namespace.run(_core.tcp_metrics)
    (text,) = namespace.call("ip", "tcp_metrics", "show").splitlines()
    words = text.split()
    (one,) = peers
    assert left_out == 0
    assert (one["destination"], one["source"]) == (words[0], words[words.index("source") + 1]) == ("127.0.0.1",) * 2
    assert f"{one['rtt_us']}us" == words[words.index("rtt") + 1]
    assert f"{one['rttvar_us']}us" == words[words.index("rttvar") + 1]
    assert one["age_ms"] is not None
    assert one["age_ms"] <= float(words[words.index("age") + 1].removesuffix("sec")) * 1e3
    assert (one["fast_open_cookie"], one["fast_open_syn_losses"], one["fast_open_mss"]) == (False, 0, None)


def test_a_fast_open_cookie_is_seen_and_not_told(namespace: Namespace) -> None:
    def fast_open() -> None:
        Path("/proc/sys/net/ipv4/tcp_fastopen").write_text("3", encoding="ascii")
        with socket.create_server(("127.0.0.9", 0)) as server:
            server.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
            with socket.socket() as client:
                client.sendto(b"x", socket.MSG_FASTOPEN, server.getsockname())
                with server.accept()[0] as accepted:
                    accepted.recv(1)

    namespace.run(fast_open)
    peers, _ = namespace.run(_core.tcp_metrics)
    (one,) = [peer for peer in peers if peer["destination"] == "127.0.0.9"]
    assert one["fast_open_cookie"]
    cookie = namespace.call("ip", "tcp_metrics", "show", "127.0.0.9").split("fo_cookie ")[1].split()[0]
    assert cookie not in repr(peers)
    assert f"fo_mss {one['fast_open_mss']}" in namespace.call("ip", "tcp_metrics", "show", "127.0.0.9")


def test_tracked_connections_are_counted(namespace: Namespace) -> None:
    rules = (
        "add table inet t; add chain inet t c { type filter hook input priority 0; }; add rule inet t c ct state new"
    )

    def track() -> tuple[_core.ConntrackDict | None, int, str]:
        call("nft", rules)
        with ExitStack() as kept:
            server = kept.enter_context(socket.create_server(("127.0.0.1", 0)))
            for _ in range(30):
                kept.enter_context(socket.create_connection(server.getsockname()))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                one.sendto(b"", ("127.0.0.1", 9))
            count = Path("/proc/sys/net/netfilter/nf_conntrack_count").read_text(encoding="ascii")
            listing = Path("/proc/thread-self/net/nf_conntrack").read_text(encoding="ascii")
            return _core.conntrack_counts(), int(count), listing

    counts, count, listing = namespace.run(track)
    lines = listing.splitlines()
    assert counts == {
        "entries": count,
        "assured": sum("[ASSURED]" in line for line in lines),
        "unreplied": sum("[UNREPLIED]" in line for line in lines),
        "tcp": sum(" tcp " in line for line in lines),
    }
    assert counts["assured"] >= 30
    assert counts["entries"] == len(lines)
    assert namespace.run(lambda: _core.conntrack_counts(5)) is None


def test_what_needs_no_privilege_needs_none(namespace: Namespace) -> None:
    def look() -> str:
        routes, _ = _core.network_routes()
        peers, _ = _core.tcp_metrics()
        refused = ""
        try:
            _core.conntrack_counts()
        except PrivilegeError as error:
            refused = str(error)
        return f"{len(routes) > 8} {len(_core.network_interfaces())} {len(peers) > 0} {refused}"

    expected = "True 3 True cannot read the tracked connections: Operation not permitted"
    assert namespace.run(lambda: as_nobody(look)) == expected
