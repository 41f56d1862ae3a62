"""``--explain``: the cause on this host is found, and named first."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import environment
from tests.probe.network import FAR, NEAR, Pair
from tests.probe.network import target as target_of
from tests.probe.running import document

if TYPE_CHECKING:
    from collections.abc import Sequence


def causes(net: Pair, *arguments: str) -> Sequence[dict[str, Any]]:
    """Of the only address."""
    found, _ = document(net, "--explain", *arguments)
    ((address,),) = (target["addresses"] for target in found["targets"])
    result: Sequence[dict[str, Any]] = address["local_causes"]
    return result


def test_a_rule_that_drops_on_the_way_out(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    net.near.nft("output", f"tcp dport {target.rpartition(':')[2]} counter drop")
    first, *others = causes(net, "--timeout", "300ms", target)
    assert (first["kind"], first["verdict"]) == ("filter", "cause")
    assert "drop" in first["sentence"]
    assert {cause["kind"]: cause["verdict"] for cause in others}["ports"] == "exonerated"
    text = " ".join(net.near.halfopen("probe", "--explain", "--timeout", "300ms", target).stdout.split())
    assert re.search(r"for 10\.77\.0\.2:\d+, the most likely first: cause ", text)
    assert "See: " in text
    assert "connect() gives up after" in text


@pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])
@pytest.mark.parametrize(
    ("hook", "rule", "what"),
    [
        ("output", "tcp dport {} counter reject", "rejects the SYN on its way out"),
        ("output", "tcp dport {} counter reject with tcp reset", "rejects the SYN on its way out"),
        ("output", "tcp dport {} drop", "drops the SYN on its way out"),
        ("output", "tcp dport {} reject", "rejects the SYN on its way out"),
        ("input", "tcp sport {} counter drop", "drops the answer on its way in"),
        ("input", "counter drop", "drops the answer on its way in"),
    ],
)
def test_a_rule_that_stops_the_syn_or_its_answer(net: Pair, far: str, hook: str, rule: str, what: str) -> None:
    _, target = net.listen(far)
    net.near.nft(hook, rule.format(target.rpartition(":")[2]))
    first, *_ = causes(net, "--timeout", "300ms", target)
    assert (first["kind"], first["verdict"]) == ("filter", "cause")
    assert what in first["sentence"]


@pytest.mark.parametrize(
    ("program", "table"), [("iptables", "-A OUTPUT -p tcp -j DROP"), ("ip6tables", "-A INPUT -p tcp -j DROP")]
)
def test_rules_of_iptables(net: Pair, program: str, table: str) -> None:
    far = FAR[program == "ip6tables"]
    _, target = net.listen(far)
    net.near.run(f"{program} {table}")
    first, *_ = causes(net, "--timeout", "300ms", target)
    assert (first["kind"], first["verdict"]) == ("filter", "cause")
    assert table in first["sentence"]


def test_rules_that_may_not_be_read_exonerate_nobody(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    net.near.nft("output", f"tcp dport {target.rpartition(':')[2]} counter drop")
    done = subprocess.run(
        [
            "setpriv",
            "--bounding-set=-net_admin",
            *net.near.command("probe", "--explain", "--format", "json", "--timeout", "300ms", target),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(),
    )
    (address,) = json.loads(done.stdout)["targets"][0]["addresses"]
    verdicts = {cause["kind"]: cause["verdict"] for cause in address["local_causes"]}
    assert verdicts["filter"] == "unknown"


@pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])
def test_a_routing_rule_for_the_mark_of_the_socket(net: Pair, far: str) -> None:
    _, target = net.listen(far)
    net.near.run(f"ip {'-6' if ':' in far else '-4'} rule add pref 100 fwmark 5 prohibit")
    first, *_ = causes(net, "--mark", "5", target)
    assert (first["kind"], first["verdict"]) == ("route", "cause")
    assert "fwmark 0x5 prohibit» (priority 100) says no" in first["sentence"]
    assert document(net, "--mark", "4", target)[1] == 0


def test_routes_are_not_judged_where_the_socket_is_bound_to_another_interface(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    found = {cause["kind"]: cause for cause in causes(net, "--interface", "lo", "--timeout", "300ms", target)}
    assert found["route"]["verdict"] == "unknown"
    assert "the socket is bound to lo" in found["route"]["sentence"]


@pytest.mark.parametrize("nobody", ["10.77.0.99", "fd77::99"])
def test_a_neighbour_that_does_not_answer(net: Pair, nobody: str) -> None:
    first, *others = causes(net, target_of(nobody, 80))
    assert (first["kind"], first["verdict"]) == ("route", "possible")
    protocol = "ND" if ":" in nobody else "ARP"
    assert first["sentence"].startswith(f"Nobody on the link answers {protocol} for {nobody}: the SYN never left.")
    assert "route" not in {cause["kind"] for cause in others}


def test_no_ports_left(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    net.near.sysctl("ip_local_port_range", "50000 50009")
    first, *_ = causes(net, "-c", "11", "-i", "0", target)
    assert (first["kind"], first["verdict"]) == ("ports", "cause")


def test_a_silent_network_is_not_blamed_on_this_host(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    net.far.nft("input", "meta l4proto tcp drop")
    found = causes(net, "--timeout", "300ms", target)
    assert not [cause for cause in found if cause["verdict"] == "cause"]
    text = net.near.halfopen("probe", "--explain", "--timeout", "300ms", target).stdout
    assert f"\nNothing on this host explains it, for {target}:\n" in text


def test_syn_retries_of_the_command_line_are_those_that_count(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    net.far.nft("input", "meta l4proto tcp drop")
    found = {cause["kind"]: cause for cause in causes(net, "--syn-retries", "1", "--timeout", "300ms", target)}
    assert "gives up after 3 s to 3.1" in found["retries"]["sentence"]
    assert found["retries"]["confirm"] is None


def test_what_was_answered_is_no_matter_of_retransmission(net: Pair) -> None:
    refused = f"{FAR[0]}:9"
    assert "retries" not in {cause["kind"] for cause in causes(net, refused)}


def test_where_all_is_well_there_is_nothing_to_explain(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    assert causes(net, target) == []
    done = net.near.halfopen("probe", "--explain", target)
    assert done.stdout.endswith("\nNothing to explain: every connect was answered at its first SYN.\n")
    done = net.near.halfopen("probe", "--format", "json", target)
    assert json.loads(done.stdout)["targets"][0]["addresses"][0]["local_causes"] is None


def test_a_lost_syn_is_worth_an_explanation(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    first_only = "tcp flags & (syn|ack) == syn limit rate over 1/hour burst 1 packets"
    net.far.nft("input", f"{first_only} accept", "tcp flags & (syn|ack) == syn drop")
    found = {cause["kind"]: cause["verdict"] for cause in causes(net, "--source", NEAR[0], target)}
    assert found["retries"] == "fact"


@pytest.mark.parametrize("far", FAR, ids=["ipv4", "ipv6"])
@pytest.mark.parametrize("verdict", ["drop", "reject", "reject with tcp reset"])
def test_the_doctor_accuses_a_rule_of_this_hosts_own_that_has_no_counter(net: Pair, far: str, verdict: str) -> None:
    _, target = net.listen(far)
    family = "ip6" if ":" in far else "ip"
    rule = f"{family} daddr {far} tcp dport {target.rpartition(':')[2]} {verdict}"
    net.near.nft("output", rule)
    document = json.loads(net.near.halfopen("doctor", "--netns", "own", "--format", "json", target).stdout)
    assert document["verdict"] == "not_sent"
    assert f"«{rule}" in document["explanation"]["sentence"]
    accept = f"{family} daddr {far} tcp dport {target.rpartition(':')[2]} accept"
    assert f"nft insert rule inet t c {accept}" in document["explanation"]["steps"][0]
    assert len(document["explanation"]["steps"]) == 1


LOOPBACK = pytest.mark.parametrize("here", ["127.0.0.1", "::1"])
#: linux/tcp.h; Python has no name for it.
TCP_DEFER_ACCEPT = 9


def listening(net: Pair, here: str, *, backlog: int = 16, defer_s: int = 0) -> tuple[socket.socket, str]:
    """A listener in the namespace that is probed from, and what to call it."""

    def listen() -> socket.socket:
        family = socket.AF_INET6 if ":" in here else socket.AF_INET
        server = socket.create_server((here, 0), family=family, backlog=backlog)
        server.setsockopt(socket.IPPROTO_TCP, TCP_DEFER_ACCEPT, defer_s)
        return server

    server = net.near.inside(listen)
    return server, target_of(here, server.getsockname()[1])


SILENT = ("--await-data", "--timeout", "300ms")


def until_it_ends(connection: socket.socket) -> None:
    connection.recv(1)


@LOOPBACK
def test_a_connection_that_nobody_takes_is_seen_in_the_queue_of_this_host(net: Pair, here: str) -> None:
    server, target = listening(net, here)
    (found,) = causes(net, *SILENT, target)
    assert (found["kind"], found["verdict"]) == ("listener", "cause")
    assert found["sentence"].startswith(f"1 connection waits for the accept() of {target} (")
    assert {row["what"]: row["value"] for row in found["evidence"]}["accept queue"] == 1
    server.accept()[0].close()
    server.close()


@LOOPBACK
def test_deferred_is_told_from_not_taken(net: Pair, here: str) -> None:
    server, target = listening(net, here, defer_s=5)
    (found,) = causes(net, *SILENT, target)
    assert found["verdict"] == "cause"
    assert "has TCP_DEFER_ACCEPT (7 s): its program learns of a connection when data comes" in found["sentence"]
    server.close()


@LOOPBACK
def test_a_program_that_took_the_connection_and_is_silent(net: Pair, here: str) -> None:
    server, target = listening(net, here)
    net.serve(server, until_it_ends)
    (found,) = causes(net, *SILENT, target)
    assert (found["verdict"], "is empty: its program has taken the connection" in found["sentence"]) == (
        "exonerated",
        True,
    )
    text = " ".join(net.near.halfopen("probe", "--explain", *SILENT, target).stdout.split())
    assert f"Nothing on this host explains what came after the handshake, for {target}: every connect" in text


@LOOPBACK
def test_a_full_queue_of_this_host_is_why_it_does_not_answer(net: Pair, here: str) -> None:
    server, target = listening(net, here, backlog=0)
    with net.near.inside(lambda: socket.create_connection(server.getsockname()[:2])):
        first, *_ = causes(net, "--timeout", "300ms", target)
    assert (first["kind"], first["verdict"]) == ("listener", "cause")
    assert first["sentence"].endswith("and the queue is full: further SYNs and last ACKs are dropped.")
    server.close()


def test_nothing_listens_on_that_address_of_this_host(net: Pair) -> None:
    server, target = listening(net, "127.0.0.1")
    port = target.rpartition(":")[2]
    first, *_ = causes(net, f"[::1]:{port}")
    assert first["verdict"] == "cause"
    assert first["sentence"].startswith(
        f"Nothing on this host listens on [::1]:{port}; what listens on that port is {target} ("
    )
    server.close()


def test_silence_of_another_host_is_not_explained_by_this_one(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    assert causes(net, *SILENT, target) == []
    text = " ".join(net.near.halfopen("probe", "--explain", *SILENT, target).stdout.split())
    assert f"Nothing on this host explains what came after the handshake, for {target}: every connect" in text
    assert "Nothing to explain" not in text
