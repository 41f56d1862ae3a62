"""What a snapshot says of a namespace, beside ``nstat``, ``sysctl`` and ``ss -p`` in the same one."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.parity_host.namespace import Namespace, as_nobody, call, needs_root
from tests.parity_host.states import Zoo

from halfopen import _core
from halfopen.collect import take
from halfopen.collect.netns.packet_filter import has_nft_tables
from halfopen.collect.private_proc import PrivateProc
from halfopen.collect.roots import Roots
from halfopen.collect.taking import names
from halfopen.knowledge.sysctls.secrets import SECRET_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.snapshot import NetNamespace

pytestmark = needs_root

#: Of the kernel, no counters: nstat leaves them out.
NO_COUNTERS = {
    "TcpRtoAlgorithm",
    "TcpRtoMin",
    "TcpRtoMax",
    "TcpMaxConn",
    "IpForwarding",
    "IpDefaultTTL",
    "TcpCurrEstab",
}
#: Holds a listener and both ends of a connection until its standard input ends; says when it does.
HOLDER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def zoo() -> Iterator[Zoo]:
    """Sockets in every state, and another process that holds some."""
    made = Zoo()
    yield made
    made.close()


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    """A quiet one."""
    made = Namespace()
    yield made
    made.close()


@pytest.fixture
def holder(zoo: Zoo) -> Iterator[subprocess.Popen[str]]:
    """A process of another name in the namespace, with sockets."""
    command = [sys.executable, "-c", HOLDER]
    process = zoo.namespace.run(
        lambda: subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.communicate()


def inside(namespace: Namespace, *only: str) -> NetNamespace:
    """The namespace as the snapshot has it, taken from within."""
    return namespace.run(lambda: take(only or None, "own").netns[0])


def test_counters_beside_nstat(namespace: Namespace) -> None:
    def talk() -> None:
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.create_server((address, 0), family=family) as listener:
                socket.create_connection(listener.getsockname()[:2]).close()

    namespace.run(talk)
    before = json.loads(namespace.call("nstat", "-asz", "--json"))["kernel"]
    counters = inside(namespace, "counters").counters
    after = json.loads(namespace.call("nstat", "-asz", "--json"))["kernel"]
    ours = {f"{group}{name}": value for group, values in counters.items() for name, value in values.items()}
    quiet = {name for name, value in before.items() if after[name] == value}
    assert len(quiet) > 0.95 * len(before) > 300
    assert {name: ours.get(name) for name in quiet} == {name: before[name] for name in quiet}
    assert ours["TcpActiveOpens"] == 2
    assert set(ours) - set(before) <= NO_COUNTERS


def test_a_procfs_of_its_own_shows_the_settings_of_the_namespace(namespace: Namespace) -> None:
    namespace.call("sysctl", "-qw", "net.core.somaxconn=77")

    def both() -> tuple[dict[bytes, bytes], dict[bytes, bytes], bool]:
        private = PrivateProc(Roots())
        root = private.settings()
        wanted = [b"core/somaxconn", b"ipv4/conf/*/rp_filter", b"ipv4/tcp_mem"]
        own = _core.read_named_settings(root, wanted)
        return own, _core.read_named_settings("/proc/sys/net", wanted), "/fd/" in str(root)

    own, shared, is_private = namespace.run(both)
    assert is_private
    assert own == shared
    assert own[b"core/somaxconn"] == b"77\n"
    assert b"ipv4/conf/lo/rp_filter" in own


def test_settings_beside_sysctl(namespace: Namespace) -> None:
    namespace.call("sysctl", "-qw", "net.core.somaxconn=77", "net.ipv4.ip_local_port_range=20000 30001")
    namespace.call("ip", "link", "add", "a.b", "type", "veth", "peer", "name", "c")
    listed = namespace.call(
        "sh", "-c", r"sysctl -a --deprecated -r '^net\.'; true"
    )  # it fails for keys it may not read
    theirs = dict(line.split(" =", 1) for line in listed.splitlines() if " =" in line)
    folded = {
        key: " ".join(value.split()) for key, value in theirs.items() if key.rpartition(".")[2] not in SECRET_NAMES
    }
    ours = inside(namespace, "sysctls").sysctls
    assert ours == folded
    assert (ours["net.core.somaxconn"], ours["net.ipv4.ip_local_port_range"]) == ("77", "20000 30001")
    assert "net.ipv4.conf.a/b.rp_filter" in ours
    assert not [key for key in ours if "fastopen_key" in key or "secret" in key or "flush" in key]


def pids_by_inode(text: str) -> dict[int, set[int]]:
    """{inode: pids} of what ``ss -tane -p`` prints."""
    found = {}
    for line in text.splitlines():
        inode = re.search(r" ino:(\d+)", line)
        if inode and (pids := re.findall(r"pid=(\d+)", line)):
            found[int(inode[1])] = {int(pid) for pid in pids}
    return found


def test_owners_beside_ss(zoo: Zoo, holder: subprocess.Popen[str]) -> None:
    theirs = pids_by_inode(zoo.namespace.call("ss", "-tanepH"))
    owners = _core.SocketOwners()
    ours = {inode: {pid for pid, _ in owners.holders(inode)} for inode in theirs}
    assert ours == theirs
    assert len(theirs) > 1000
    assert {pid for pids in theirs.values() for pid in pids} == {os.getpid(), holder.pid}


def test_listeners_owners_beside_ss(zoo: Zoo, holder: subprocess.Popen[str]) -> None:
    theirs = pids_by_inode(zoo.namespace.call("ss", "-tlnepH"))
    sockets = inside(zoo.namespace, "sockets").sockets
    assert sockets is not None
    assert {one.inode: {owner.pid for owner in one.owners} for one in sockets.listeners} == theirs
    of_holder = next(owner for one in sockets.listeners for owner in one.owners if owner.pid == holder.pid)
    assert of_holder.comm == call("ps", "-o", "comm=", "-p", str(holder.pid)).strip()
    assert (of_holder.uid, of_holder.command[1]) == (0, "-c")
    assert of_holder.started_at_ns is not None
    age_s = int(call("ps", "-o", "etimes=", "-p", str(holder.pid)))
    assert abs((take({"facts"}).taken_at_ns - of_holder.started_at_ns) / 1e9 - age_s) < 2


def test_every_collector_answers_in_a_busy_namespace(zoo: Zoo) -> None:
    snapshot = zoo.namespace.run(lambda: take(netns="own"))
    assert {run.name for run in snapshot.collectors if run.success} == set(names())
    assert snapshot.netns[0].own


def test_a_namespace_of_another_process_is_found_entered_and_left(tmp_path_factory: pytest.TempPathFactory) -> None:
    here = Path("/proc/self/ns/net").readlink()
    before = call("sysctl", "-n", "net.core.somaxconn").strip()
    command = ["unshare", "--net", "sh", "-c", "echo 78 > /proc/sys/net/core/somaxconn; echo ready; read -r _"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        snapshot = take()
    finally:
        process.communicate("\n")
    found = next(one for one in snapshot.netns if one.pid == process.pid)
    assert (found.kind, found.name) == ("other", f"sh (pid {process.pid})")
    assert found.sysctls["net.core.somaxconn"] == "78"
    assert snapshot.netns[0].sysctls["net.core.somaxconn"] == before
    assert (
        Path("/proc/self/ns/net").readlink()
        == here
        == Path(f"/proc/self/task/{threading.get_native_id()}/ns/net").readlink()
    )


#: In a mount namespace of its own: mounts a network namespace that nobody lives in, and says its inode.
MOUNTER = """
unshare --net sh -c 'mount --bind /proc/self/ns/net "$0"; stat -L -c %i /proc/self/ns/net' "$0"; read -r _
"""


def test_namespaces_that_no_process_lives_in_are_found(tmp_path: Path) -> None:
    target = tmp_path / "mounted here"
    target.touch()
    held, threads = Namespace(), Namespace()
    over, entered = threading.Event(), threading.Event()

    def stay() -> None:
        entered.set()
        over.wait()

    thread = threading.Thread(target=threads.run, args=(stay,))
    thread.start()
    command = ["unshare", "--mount", "sh", "-c", MOUNTER, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mounter:
        try:
            assert entered.wait(20)
            os.close(threads.fd)
            assert mounter.stdout is not None
            mounted = int(mounter.stdout.readline())
            held_inode = os.fstat(held.fd).st_ino
            listener = held.run(lambda: socket.create_server(("127.0.0.1", 0)))
            found = {netns.inode: netns for netns in take({"sockets"}).netns}
        finally:
            over.set()
            thread.join()
    names_found = {netns.name.partition(" #")[0] for netns in found.values()}
    assert found[held_inode].path == f"/proc/{os.getpid()}/fd/{held.fd}"
    assert f"held by {Path('/proc/self/comm').read_text(encoding='ascii').strip()} (pid {os.getpid()})" in names_found
    sockets = found[held_inode].sockets
    assert sockets is not None
    assert [one.port for one in sockets.listeners] == [listener.getsockname()[1]]
    assert any(netns.path and netns.path.startswith(f"/proc/{os.getpid()}/task/") for netns in found.values())
    assert (found[mounted].path, found[mounted].name) == (f"/proc/{mounter.pid}/root{target}", "mounted here")
    listener.close()
    held.close()


def test_without_root_the_rest_is_still_reported_and_the_gaps_are_named(
    zoo: Zoo, holder: subprocess.Popen[str]
) -> None:
    def as_json() -> str:
        snapshot = take()
        own = next(one for one in snapshot.netns if one.own)
        assert own.sockets is not None
        gaps = sorted(gap.what for gap in snapshot.unavailable)
        return json.dumps([len(own.sockets.listeners), own.counter("Tcp", "RtoMin"), len(own.sysctls), gaps])

    listeners, minimum, settings, gaps = json.loads(zoo.namespace.run(lambda: as_nobody(as_json)))
    seen_by_root = inside(zoo.namespace, "sockets").sockets
    assert seen_by_root is not None
    assert listeners == len(seen_by_root.listeners) > 10
    assert minimum == 200
    assert settings > 300
    assert [gap for gap in gaps if gap.startswith("network namespaces of ")]
    assert [gap for gap in gaps if gap.startswith("sockets of ")]


def test_whether_there_are_tables(namespace: Namespace) -> None:
    assert namespace.run(has_nft_tables) is False
    namespace.call("nft", "add table inet t")
    assert namespace.run(has_nft_tables) is True
    assert json.loads(namespace.run(lambda: as_nobody(lambda: json.dumps(has_nft_tables())))) is True  # it may not know


def test_rules_of_nftables_and_their_counters(namespace: Namespace) -> None:
    rule = "tcp flags & (fin | syn | rst | ack) == syn limit rate 10/second counter accept"
    text = f"table inet t {{ chain c {{ type filter hook input priority 0; policy drop; {rule}; }}; }}\n"
    namespace.call("nft", "-f", "-", text=text)
    found = inside(namespace, "packet_filter").packet_filter
    assert found is not None
    assert [(chain.hook, chain.policy) for chain in found.chains] == [("input", "drop")]
    assert [(one.limit, one.syn_only, one.packets, one.verdict) for one in found.rules] == [
        ("10/second burst 5", True, 0, "accept")
    ]


@pytest.mark.parametrize("back_end", ["nft", "legacy"])
def test_rules_of_iptables(namespace: Namespace, back_end: str) -> None:
    for command in (f"iptables-{back_end}", f"ip6tables-{back_end}"):
        namespace.call(command, "-A", "INPUT", "-p", "tcp", "--syn", "-m", "limit", "--limit", "9/s", "-j", "ACCEPT")
    found = inside(namespace, "packet_filter").packet_filter
    assert found is not None
    assert found.backends == (f"iptables-{back_end}",)
    assert [(one.family, one.limit, one.syn_only, one.packets) for one in found.rules] == [
        ("ip", "9/second burst 5", True, 0),
        ("ip6", "9/second burst 5", True, 0),
    ]
