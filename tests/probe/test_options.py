"""What the options do to the packets, as the server saw them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from tests.conftest import environment
from tests.probe.network import FAR, NEAR, Namespace, Pair
from tests.probe.running import document, one, records
from tests.serve.running import serving

if TYPE_CHECKING:
    from pathlib import Path

TCP_SAVE_SYN, TCP_SAVED_SYN = 27, 28


@pytest.mark.parametrize("far", FAR)
def test_what_the_syn_looks_like(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    server.setsockopt(socket.IPPROTO_TCP, TCP_SAVE_SYN, 1)
    near = net.near_of(far)
    _, code, _ = one(
        net, "--ttl", "9", "--mss", "1000", "--source", near, "--source-port", "45678", "--nodelay", target
    )
    assert code == 0
    connection, peer = server.accept()
    with connection:
        syn = connection.getsockopt(socket.IPPROTO_TCP, TCP_SAVED_SYN, 100)
    assert peer[:2] == (near, 45678)
    time_to_live, tcp = (7, 40) if ":" in far else (8, 20)
    assert syn[time_to_live] == 9
    assert syn[tcp + 20 : tcp + 24] == bytes((2, 4)) + (1000).to_bytes(2)  # the first option


def test_the_interface_is_the_one_that_the_syn_leaves_by(net: Pair) -> None:
    """Both lead to the server, and the route's choice is the first."""
    server, target = net.listen(FAR[0])
    net.near.run(f"ip link add second type veth peer name there netns {net.far.pid}")
    net.near.run("ip addr add 10.79.0.1/24 dev second")
    net.near.run("ip link set second up")
    net.far.run("ip addr add 10.79.0.2/24 dev there")
    net.far.run("ip link set there up")
    for arguments, source in (((), NEAR[0]), (("--interface", "second"), "10.79.0.1")):
        record, code, _ = one(net, *arguments, target)
        assert (code, record["client"]) == (0, source)
        connection, peer = server.accept()
        connection.close()
        assert peer[0] == source
    assert "there" in net.far.run("ip neigh show 10.79.0.1")


@pytest.mark.parametrize("far", FAR)
def test_a_source_may_be_an_interface(net: Pair, far: str) -> None:
    server, target = net.listen(far)
    net.near.run("ip addr add 10.77.0.55/24 dev near")
    record, code, _ = one(net, "--source", "near", "--interface", "near", target)
    assert (code, record["client"]) == (0, net.near_of(far))
    connection, peer = server.accept()
    connection.close()
    assert peer[0] == net.near_of(far)


def test_link_local_addresses_are_those_of_a_link(net: Pair) -> None:
    near, far = (link_local(namespace) for namespace in (net.near, net.far))
    within = ("nsenter", f"--net={net.far.path}")
    with serving("--http", "--address", f"{far}%far", within=within) as server:
        target = f"[{far}%near]:{server.ports[0]}"
        for source in (near, f"{near}%near"):
            record, code, _ = one(net, "--source", source, target)
            assert (code, record["client"], record["server"]) == (0, near, far)
            assert server.wait_for("accepted")["peer"] == near
            done = net.near.halfopen("load", "-n", "3", "--http", "--source", source, target)
            assert (done.returncode, done.stderr) == (0, "")
    done = net.near.halfopen("probe", "--source", near, f"[{FAR[1]}]:1")
    assert done.returncode == 2
    assert "a link-local address is one with its interface" in done.stderr
    done = net.far.halfopen("serve", "--address", f"{far}%nosuch0")
    assert (done.returncode, done.stderr) == (
        2,
        f"halfopen: cannot listen at {far}%nosuch0: there is no such interface\n",
    )
    text = " ".join(net.near.halfopen("probe", f"[{far}%nosuch0]:1").stdout.split())
    assert text.endswith(": there is no interface nosuch0")


def link_local(namespace: Namespace) -> str:
    """The address that the kernel gave to the end of the pair, once it may be used."""

    def addresses() -> list[str]:
        shown = namespace.run("ip -6 -o addr show scope link")
        return re.findall(r"inet6 (fe80\S+)/64 scope link \\", shown)

    namespace.wait_until(lambda: bool(addresses()))
    return addresses()[0]


def test_the_mark_reaches_the_packet_filter(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    net.near.nft("output", "meta mark 7 reject with tcp reset")
    assert one(net, target)[1] == 0
    assert one(net, "--mark", "7", target)[0]["outcome"] == "refused"


def test_the_mark_needs_a_capability(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    done = subprocess.run(
        ["setpriv", "--bounding-set=-net_admin,-net_raw", *net.near.command("probe", "--mark", "7", target)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=environment(),
    )
    assert done.returncode == 4, done.stderr
    assert "cannot set SO_MARK 7: not permitted" in done.stderr


def test_a_name_with_several_addresses(net: Pair, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{FAR[1]} web\n{FAR[0]} web\n")
    _, target = net.listen(FAR[0])
    port = target.rpartition(":")[2]
    found, code = document(net, f"web:{port}", hosts=hosts)
    assert code == 0
    assert found["targets"][0]["resolve_us"] > 0
    assert [attempt["server"] for attempt in found["attempts"]][-1] == FAR[0]
    found, code = document(net, "--all-addresses", f"web:{port}", hosts=hosts)
    assert code == 1  # nobody listens at the IPv6 address
    assert {attempt["server"]: attempt["outcome"] for attempt in found["attempts"]} == {
        FAR[0]: "established",
        FAR[1]: "refused",
    }
    found, code = document(net, "-4", f"web:{port}", hosts=hosts)
    assert (code, len(found["attempts"])) == (0, 1)
    found, code = document(net, "-6", f"web:{port}", hosts=hosts)
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["refused"]
    assert code == 1


def test_names_that_stand_for_nothing(net: Pair) -> None:
    done = net.near.halfopen("probe", "-6", f"{FAR[0]}:80")
    assert (done.returncode, done.stdout) == (1, f"{FAR[0]}:80: cannot resolve {FAR[0]}: it has no IPv6 address\n")
    found, code = document(net, "nosuch.invalid")
    assert (code, found["attempts"]) == (1, [])
    (target,) = found["targets"]
    assert (target["reachable"], target["addresses"]) == (False, [])
    assert target["error"].startswith("cannot resolve nosuch.invalid: ")


def test_a_file_of_targets(net: Pair, tmp_path: Path) -> None:
    _, target = net.listen(FAR[0])
    closed = net.closed_port(FAR[0])
    path = tmp_path / "targets"
    path.write_text(f"{target}  # up\n{closed}\n")
    done = net.near.halfopen("probe", "--format", "jsonl", f"@{path}")
    assert done.returncode == 1
    assert [record["outcome"] for record in records(done)] == ["established", "refused"]


def test_the_rate_is_kept(net: Pair) -> None:
    _, target = net.listen(FAR[0], backlog=100)
    done = net.near.halfopen("probe", "--format", "jsonl", "-c", "11", "--rate", "20", target)
    times = [record["start_ns"] for record in records(done)]
    assert (times[-1] - times[0]) / 1e9 == pytest.approx(0.5, abs=0.2)


def test_ctrl_c_ends_a_connect_and_gives_the_numbers_so_far(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    net.far.nft("input", "tcp flags & (syn|ack) == syn limit rate over 1/hour burst 2 packets drop")
    with subprocess.Popen(
        net.near.command("probe", "-c", "5", "-i", "0", "--timeout", "60s", target),
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as probe:
        assert probe.stdout is not None
        lines = [probe.stdout.readline() for _ in range(3)]
        assert [line[:18].strip() for line in lines[1:]] == ["1  connected in", "2  connected in"]
        # The third one waits for an answer that does not come.
        net.near.wait_until(lambda: bool(net.near.run("ss -Htn state syn-sent").strip()))
        begin = time.monotonic()
        os.kill(probe.pid, signal.SIGINT)
        rest = probe.stdout.read()
        assert probe.wait(timeout=30) == 130
    assert time.monotonic() - begin < 5
    assert re.match(r"   3  interrupted after [\d.]+ m?s, \d SYNs? sent, no answer yet", rest)
    assert "2 of 2 connected; no SYN lost" in rest


def test_a_source_of_one_family_and_a_name_of_both(net: Pair, tmp_path: Path) -> None:
    server, target = net.listen(FAR[0])
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{FAR[1]} dual.test\n{FAR[0]} dual.test\n")
    port = target.rpartition(":")[2]
    found, code = document(net, "--source", NEAR[0], f"dual.test:{port}", hosts=hosts)
    assert (code, [attempt["server"] for attempt in found["attempts"]]) == (0, [FAR[0]])
    # One that nothing fits ends the run before the first connect.
    done = net.near.halfopen("probe", "--source", NEAR[0], target, f"[{FAR[1]}]:{port}")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"the source {NEAR[0]} cannot reach an IPv6 address" in done.stderr
    server.close()


def test_without_a_terminal_a_watch_is_lines(net: Pair) -> None:
    _, target = net.listen(FAR[0])
    done = net.near.halfopen("probe", "--watch", "-c", "2", "-i", "0", target)
    assert done.returncode == 0
    assert done.stdout.count("connected in") == 2
    assert "\x1b" not in done.stdout
