"""``halfopen doctor HOST:PORT`` in namespaces: the verdict on each way to fail, and that what it says to do helps."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import PROGRAM, environment
from tests.probe import network
from tests.probe.network import Namespace, Pair, may_make_namespaces, pair, target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(not may_make_namespaces(), reason="needs root, and a kernel that makes namespaces")

#: Addresses of this run alone: where two namespaces of a host have one, the doctor claims neither, and other runs of
#: these tests may go on.
_NET6 = f"fd77:{os.getpid() % 65536:x}"
_BYTE = os.getpid() // 200 % 80
_TEN = f"10.{os.getpid() % 200 + 40}"
NEAR, FAR = (f"{_TEN}.{_BYTE}.1", f"{_NET6}::1"), (f"{_TEN}.{_BYTE}.2", f"{_NET6}::2")
NEIGHBOUR = f"{_TEN}.{_BYTE}.99"
CLIENT, CLIENT_GATEWAY = (
    (f"{_TEN}.{_BYTE + 80}.1", f"{_NET6}:1::1"),
    (f"{_TEN}.{_BYTE + 80}.254", f"{_NET6}:1::fe"),
)
SERVER, SERVER_GATEWAY = (
    (f"{_TEN}.{_BYTE + 160}.2", f"{_NET6}:2::2"),
    (f"{_TEN}.{_BYTE + 160}.254", f"{_NET6}:2::fe"),
)


@pytest.fixture
def net() -> Iterator[Pair]:
    """Two namespaces and a link, with addresses that nobody else has."""
    with pair() as made:
        for place, name, (v4, v6) in ((made.near, "near", NEAR), (made.far, "far", FAR)):
            place.run(f"ip addr add {v4}/24 dev {name}")
            place.run(f"ip addr add {v6}/64 dev {name} nodad")
        yield made


def verdict(place: Namespace, to: str, *options: str) -> dict[str, Any]:
    """What the doctor says, run in that namespace."""
    done = place.halfopen("doctor", "--format", "json", *options, to)
    assert done.returncode in {0, 1}, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def do(place: Namespace, document: dict[str, Any]) -> None:
    """Type the first command that it says to do, where it was run."""
    command = next(found[1] for step in document["explanation"]["steps"] if (found := re.search(r"`([^`]+)`", step)))
    place.run(command)


@pytest.fixture
def server(net: Pair) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts ``halfopen serve`` in the far namespace, on port 8000 of every address."""
    running: list[subprocess.Popen[str]] = []

    def start(*options: str, address: str = "0.0.0.0") -> subprocess.Popen[str]:
        command = net.far.command("serve", "--no-events", "--port", "8000", "--address", address, *options)
        served = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
        )
        running.append(served)
        assert served.stderr is not None
        assert "listening" in served.stderr.readline()
        return served

    yield start
    for served in running:
        os.kill(served.pid, signal.SIGCONT)
        served.terminate()
        served.communicate()


# --- packet filters: who stops it, and the command that lets it through -----------------------------------------------


RULES = [
    ("near output", "tcp dport {} drop", "not_sent", "drops the SYN on its way out"),
    ("near output", "tcp dport {} reject with tcp reset", "not_sent", "rejects the SYN on its way out"),
    ("near input", "tcp sport {} drop", "silent_drop", "drops the answer on its way in"),
    ("far input", "tcp dport {} drop", "silent_drop", "drops the SYN on its way in"),
    (
        "far input",
        "tcp dport {} counter drop",
        "silent_drop",
        "in the meantime and drops the SYN on its way in",
    ),
    ("far input", "tcp dport {} reject", "unreachable", "rejects the SYN on its way in"),
    ("far input", "tcp dport {} reject with tcp reset", "refused", "rejects the SYN on its way in"),
    ("far output", "tcp sport {} drop", "silent_drop", "drops the answer on its way out"),
    ("far prerouting", "tcp dport {} drop", "silent_drop", "drops the SYN on its way in"),
]


@pytest.mark.parametrize(
    ("family", "where", "rule", "kind", "says"),
    [(0, *one) for one in RULES] + [(1, *RULES[place]) for place in (0, 3, 5)],
)
def test_a_rule_is_found_and_what_to_do_helps(  # noqa: PLR0917  (cases, and where they are)
    net: Pair, family: int, where: str, rule: str, kind: str, says: str
) -> None:
    _, to = net.listen(FAR[family])
    side, hook = where.split(" ")
    place = net.near if side == "near" else net.far
    place.nft(hook, rule.format(to.rpartition(":")[2]))
    document = verdict(net.near, to)
    assert (document["verdict"], says in document["explanation"]["sentence"]) == (kind, True)
    do(net.near, document)
    assert verdict(net.near, to)["verdict"] in {"healthy", "accept_starvation"}  # nobody accepts


@pytest.mark.parametrize(
    ("side", "command", "kind"),
    [
        ("near", "iptables -A OUTPUT -p tcp --dport 8000 -m owner --uid-owner 0 -j DROP", "not_sent"),
        ("far", "iptables -A INPUT -p tcp -j REJECT --reject-with tcp-reset", "refused"),
        ("far", "iptables -P INPUT DROP", "silent_drop"),
        ("far", "iptables -t raw -A PREROUTING -p tcp --dport 8000 -j DROP", "silent_drop"),
    ],
)
def test_a_rule_of_iptables_is_found_and_what_to_do_helps(
    net: Pair, server: Callable[..., object], side: str, command: str, kind: str
) -> None:
    server("--http", "x")
    (net.near if side == "near" else net.far).run(command)
    document = verdict(net.near, f"{FAR[0]}:8000")
    assert document["verdict"] == kind
    do(net.near, document)
    assert verdict(net.near, f"{FAR[0]}:8000")["verdict"] == "healthy"


def test_a_rule_of_one_user_is_a_suspect_and_a_capture_convicts_it(net: Pair) -> None:
    _, to = net.listen(FAR[0])
    net.near.nft("output", f"meta skuid 0 tcp dport {to.rpartition(':')[2]} drop")
    document = verdict(net.near, to)
    assert document["verdict"] == "silent_drop"
    assert document["explanation"]["steps"][0].endswith(f"`halfopen doctor {to} --capture` tells whether it does.")
    document = verdict(net.near, to, "--capture")
    assert document["verdict"] == "not_sent"
    assert "drops the SYN on its way out" in document["explanation"]["sentence"]
    assert document["explanation"]["evidence"][0].startswith("A capture shows none of the ")


def test_a_starved_listener_is_not_why_a_rule_rejects(net: Pair) -> None:
    listening, to = net.listen(FAR[0], backlog=2)
    net.fill(listening, FAR[0])
    net.far.nft("input", f"tcp dport {to.rpartition(':')[2]} reject")
    document = verdict(net.near, to)
    assert document["verdict"] == "unreachable"
    assert "rejects the SYN on its way in" in document["explanation"]["sentence"]


# --- the listener -----------------------------------------------------------------------------------------------------


def test_a_full_queue_says_how_long_one_has_waited(net: Pair) -> None:
    listening, to = net.listen(FAR[0], backlog=2)
    net.fill(listening, FAR[0])
    document = verdict(net.near, to)
    assert (document["verdict"], document["explanation"]["told"]) == ("accept_starvation", ["HO101"])
    assert document["explanation"]["check"].endswith(f"ss -ltnm 'sport = :{to.rpartition(':')[2]}'")
    text = net.near.halfopen("doctor", to).stdout
    assert "(HO101)" in text
    assert "CRITICAL" not in text


def test_a_program_that_was_stopped(net: Pair, server: Callable[..., subprocess.Popen[str]]) -> None:
    served = server("--http", "x")
    os.kill(served.pid, signal.SIGSTOP)
    document = verdict(net.near, f"{FAR[0]}:8000")
    assert document["verdict"] == "accept_starvation"
    assert f"is stopped (state T): process {served.pid}" in document["explanation"]["sentence"]
    do(net.near, document)


@pytest.mark.parametrize(
    ("address", "says", "step"),
    [
        ("127.0.0.1", "127.0.0.1:8000 (halfopen) is on another address", f"listen on {FAR[0]}"),
        ("::1", "[::1]:8000 (halfopen) is on another address", f"listen on {FAR[0]}"),
    ],
)
def test_a_program_that_listens_elsewhere(
    net: Pair, server: Callable[..., object], address: str, says: str, step: str
) -> None:
    server("--http", "x", address=address)
    document = verdict(net.near, f"{FAR[0]}:8000")
    assert (document["verdict"], says in document["explanation"]["sentence"]) == ("refused", True)
    assert step in document["explanation"]["steps"][0]


def test_an_ipv6_listener_that_takes_only_that(net: Pair) -> None:
    def listen() -> socket.socket:
        one = socket.socket(socket.AF_INET6)
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(("::", 8000))
        one.listen()
        return one

    with net.far.inside(listen):
        document = verdict(net.near, f"{FAR[0]}:8000")
    assert "takes IPv6 only" in document["explanation"]["sentence"]
    assert "without IPV6_V6ONLY" in document["explanation"]["steps"][0]


def test_a_server_that_defers_accept_for_a_second(net: Pair, server: Callable[..., object]) -> None:
    server("--defer-accept", "1", "--http", "x")
    document = verdict(net.near, f"{FAR[0]}:8000", "--netns", "own")
    assert document["verdict"] == "healthy"
    assert any("TCP_DEFER_ACCEPT" in sentence for sentence in document["explanation"]["evidence"])


# --- routes, addresses, neighbours ------------------------------------------------------------------------------------


def test_no_route_says_what_to_type(net: Pair) -> None:
    document = verdict(net.near, "10.99.0.1:80")
    assert (document["verdict"], document["own"]) == ("not_sent", False)
    assert document["explanation"]["steps"] == ["Add a route to it: `ip route add 10.99.0.1 via GATEWAY`."]


def test_a_gateway_that_does_not_answer_is_named(net: Pair) -> None:
    net.near.run(f"ip route add 10.99.0.0/24 via {NEIGHBOUR}")
    document = verdict(net.near, "10.99.0.1:80")
    assert document["verdict"] == "unreachable"
    assert f"ARP for {NEIGHBOUR}, the gateway to 10.99.0.1" in document["explanation"]["sentence"]


def test_a_host_without_an_address_of_the_family(net: Pair) -> None:
    _, to = net.listen(FAR[1])
    net.near.run("ip -6 addr flush dev near")
    net.near.run(f"ip -6 route add {FAR[1]} dev near")
    document = verdict(net.near, to)
    assert "No interface has an IPv6 address: the SYN leaves from ::1" in document["explanation"]["sentence"]


# --- through a third namespace ----------------------------------------------------------------------------------------


class Routed:
    """A client, a router and a server."""

    def __init__(self, net: Pair, router: Namespace) -> None:
        self.client, self.router, self.server = net.near, router, net.far
        for host, name, own, gateway in (
            (self.client, "c0", CLIENT, CLIENT_GATEWAY),
            (self.server, "s0", SERVER, SERVER_GATEWAY),
        ):
            host.run(f"ip link add {name} type veth peer name {name} netns {router.pid}")
            for place, addresses in ((host, own), (router, gateway)):
                place.run(f"ip addr add {addresses[0]}/24 dev {name}")
                place.run(f"ip addr add {addresses[1]}/64 dev {name} nodad")
                place.run(f"ip link set {name} up")
            host.run(f"ip route add default via {gateway[0]}")
            host.run(f"ip -6 route add default via {gateway[1]}")
        router.sysctl("ip_forward", "1")
        router.inside(lambda: Path("/proc/sys/net/ipv6/conf/all/forwarding").write_text("1"))
        self.listener = self.server.inside(lambda: socket.create_server(("", 8000)))
        Namespace.wait_until(self._works)

    def _works(self) -> bool:
        try:
            self.client.inside(lambda: socket.create_connection((SERVER[0], 8000), timeout=0.3).close())
        except OSError:
            return False
        return True


@pytest.fixture
def routed(net: Pair) -> Iterator[Routed]:
    """The three of them."""
    made = Routed(net, Namespace(net._stack))
    yield made
    made.listener.close()


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ("tcp dport 8000 drop", "silent_drop"),
        ("tcp dport 8000 reject with tcp reset", "refused"),
        ("tcp dport 8000 reject with icmp admin-prohibited", "unreachable"),
        ("tcp sport 8000 drop", "silent_drop"),
    ],
)
def test_a_rule_of_the_router(routed: Routed, rule: str, kind: str) -> None:
    routed.router.nft("forward", rule)
    document = verdict(routed.client, f"{SERVER[0]}:8000")
    assert document["verdict"] == kind
    assert re.search(r"in network namespace .* on its way through\.$", document["explanation"]["sentence"])
    do(routed.client, document)
    assert verdict(routed.client, f"{SERVER[0]}:8000")["verdict"] in {"healthy", "accept_starvation"}


def test_a_router_that_forwards_nothing(routed: Routed) -> None:
    routed.router.sysctl("ip_forward", "0")
    document = verdict(routed.client, f"{SERVER[0]}:8000")
    assert "forwards nothing (net.ipv4.ip_forward = 0)" in document["explanation"]["sentence"]
    do(routed.client, document)
    assert verdict(routed.client, f"{SERVER[0]}:8000")["verdict"] in {"healthy", "accept_starvation"}


def test_a_server_without_a_route_back(routed: Routed) -> None:
    routed.server.run("ip route del default")
    document = verdict(routed.client, f"{SERVER[0]}:8000")
    assert f"no route back to {CLIENT[0]}: it drops the SYN" in document["explanation"]["sentence"]
    assert document["explanation"]["told"] == ["HO606"]


def test_a_strict_reverse_path_filter_at_the_server(routed: Routed) -> None:
    """The SYN comes in over the router, and the route back leads over the direct link."""
    routed.server.run(f"ip route add {CLIENT[0]}/32 via {NEAR[0]}")
    for name in ("all", "s0", "far"):
        routed.server.sysctl(f"conf/{name}/rp_filter", "1")
    document = verdict(routed.client, f"{SERVER[0]}:8000")
    assert "Reverse path filtering of network namespace " in document["explanation"]["sentence"]
    assert document["explanation"]["told"] == ["HO602"]
    do(routed.client, document)
    assert verdict(routed.client, f"{SERVER[0]}:8000")["verdict"] in {"healthy", "accept_starvation"}


def test_a_translation_is_followed(routed: Routed) -> None:
    rules = f"ip daddr {CLIENT_GATEWAY[0]} tcp dport 80 dnat to {SERVER[0]}:8000"
    script = f"table ip n {{\n chain c {{\n type nat hook prerouting priority -100;\n {rules}\n }}\n}}\n"
    subprocess.run(
        ["nsenter", f"--net={routed.router.path}", "nft", "-f", "-"], input=script, text=True, check=True, timeout=10
    )
    routed.listener.close()
    document = verdict(routed.client, f"{CLIENT_GATEWAY[0]}:80")
    assert (document["verdict"], document["own"]) == ("refused", False)
    assert document["explanation"]["sentence"].endswith("nothing listens where they are sent on to.")
    assert f"halfopen doctor {SERVER[0]}:8000" in document["explanation"]["steps"][0]


def test_a_translation_of_this_host_s_own_is_not_judged_by_the_way_to_the_first_address(routed: Routed) -> None:
    """As of a service address in Kubernetes: no router knows it, and a capture does not see it."""
    rules = f"ip daddr 10.96.0.1 tcp dport 443 dnat to {SERVER[0]}:8000"
    script = f"table ip n {{\n chain c {{\n type nat hook output priority -100;\n {rules}\n }}\n}}\n"
    subprocess.run(
        ["nsenter", f"--net={routed.client.path}", "nft", "-f", "-"], input=script, text=True, check=True, timeout=10
    )
    routed.server.nft("input", "tcp dport 8000 drop")
    document = verdict(routed.client, "10.96.0.1:443", "--capture")
    assert document["verdict"] == "silent_drop"
    assert not [cause for cause in document["local_causes"] if cause["verdict"] == "cause"]
    assert document["explanation"]["steps"] == [
        f"See what becomes of it where it is sent on to: `halfopen doctor {SERVER[0]}:8000`."
    ]


def test_two_namespaces_with_the_address_and_no_claim_on_either(net: Pair) -> None:
    """Another network with the same addresses, in which there is traffic, too."""
    twin = Pair(net._stack)
    _, to = net.listen(network.FAR[0])
    net.far.nft("input", f"tcp dport {to.rpartition(':')[2]} drop")
    flows = subprocess.Popen(
        twin.near.command("probe", "-c", "200", "-i", "20ms", target(network.FAR[0], 9)), stdout=subprocess.DEVNULL
    )
    try:
        document = verdict(net.near, to)
    finally:
        flows.terminate()
        flows.wait()
    assert (document["verdict"], document["own"]) == ("silent_drop", False)


# --- who runs it ------------------------------------------------------------------------------------------------------


def test_without_root_it_says_what_root_would_see(net: Pair) -> None:
    _, to = net.listen(FAR[0])
    net.near.nft("output", f"tcp dport {to.rpartition(':')[2]} drop")
    done = subprocess.run(
        [
            "nsenter",
            f"--net={net.near.path}",
            "setpriv",
            "--bounding-set=-all",
            "--inh-caps=-all",
            PROGRAM,
            "doctor",
            "--format",
            "json",
            to,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(),
    )
    document = json.loads(done.stdout)
    assert document["explanation"]["steps"][0].endswith(f"`sudo halfopen doctor {to}`.")
