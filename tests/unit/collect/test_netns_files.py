"""What is read from procfs in each namespace: pure parsers from literals, collectors from small trees."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from tests.unit.collect.trees import netns_context, tree

from halfopen.collect.netns import conntrack, counters, sockstat, synproxy, sysctls
from halfopen.collect.per_cpu import parse_summed
from halfopen.knowledge.mib_text import parse_pairs, parse_sockstat
from halfopen.model.network import Conntrack

if TYPE_CHECKING:
    from pathlib import Path

SNMP = """Tcp: RtoMin MaxConn ActiveOpens
Tcp: 200 -1 17
Udp: InDatagrams
Udp: 5
"""
NETSTAT = "TcpExt: SyncookiesSent ListenDrops\nTcpExt: 3 18446744073709551615\n"
SNMP6 = "Ip6InReceives                   \t12\nIcmp6InType135 \t4\nUdpLite6InErrors\t1\nrubbish\nUdp6X y\n"
SYNPROXY = """entries\t\tsyn_received\tcookie_invalid
00000000\t0000000a\t00000001
00000000\t00000010\t00000000
"""
CONNTRACK = "entries  clashres found new drop early_drop\n00000007  00000001 0 0 0000000f 2\n00000007 0 0 0 1 1\n"


def test_counters(tmp_path: Path) -> None:
    context = netns_context(tmp_path, {"net/snmp": SNMP, "net/netstat": NETSTAT, "net/snmp6": SNMP6})
    assert counters.collect(context) == {
        "Tcp": {"RtoMin": 200, "MaxConn": -1, "ActiveOpens": 17},
        "Udp": {"InDatagrams": 5},
        "TcpExt": {"SyncookiesSent": 3, "ListenDrops": 2**64 - 1},
        "Ip6": {"InReceives": 12},
        "Icmp6": {"InType135": 4},
        "UdpLite6": {"InErrors": 1},
    }


def test_a_kernel_without_ipv6_is_no_gap(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"net/snmp": SNMP, "net/netstat": NETSTAT, "net/sockstat": "TCP: inuse 5 tw 9\n"}
    context = netns_context(tmp_path, files)
    assert set(counters.collect(context)) == {"Tcp", "Udp", "TcpExt"}
    assert sockstat.collect(context) == {"TCP": {"inuse": 5, "tw": 9}}
    assert context.gaps == []


@pytest.mark.parametrize("cut", range(len(SNMP)))
def test_a_cut_file_gives_what_is_whole(cut: int) -> None:
    found = parse_pairs(SNMP[:cut])
    assert set(found) <= {"Tcp", "Udp"}
    assert found.get("Tcp", {}).get("RtoMin", 200) in {200, 20, 2}


def test_halves_that_do_not_match_are_left_out() -> None:
    assert parse_pairs("Tcp: A\nUdp: 1\nIp: B\nIp: 2\n") == {"Ip": {"B": 2}}


def test_sockstat() -> None:
    text = "sockets: used 288\nTCP: inuse 5 orphan 0 tw 0 alloc 5 mem 1\nFRAG: inuse 0 memory\n\n"
    assert parse_sockstat(text) == {
        "sockets": {"used": 288},
        "TCP": {"inuse": 5, "orphan": 0, "tw": 0, "alloc": 5, "mem": 1},
        "FRAG": {"inuse": 0},
    }


def test_tables_of_processors_are_summed_but_for_what_is_no_ones_own() -> None:
    assert parse_summed(SYNPROXY) == {"syn_received": 26, "cookie_invalid": 1}
    assert parse_summed(CONNTRACK) == {"clashres": 1, "found": 0, "new": 0, "drop": 16, "early_drop": 3}
    assert parse_summed("") == {}


def test_synproxy_without_its_module(tmp_path: Path) -> None:
    assert synproxy.collect(netns_context(tmp_path, {})) == {}
    assert synproxy.collect(netns_context(tmp_path, {"net/stat/synproxy": SYNPROXY}))["syn_received"] == 26


def test_conntrack(tmp_path: Path) -> None:
    directory = "proc/sys/net/netfilter/nf_conntrack_"
    context = netns_context(
        tmp_path,
        {
            f"{directory}count": "4\n",
            f"{directory}max": "262144\n",
            f"{directory}tcp_timeout_established": "432000\n",
            f"{directory}tcp_timeout_close": "10\n",
            f"{directory}udp_timeout": "30\n",
            "net/stat/nf_conntrack": CONNTRACK,
        },
    )
    found = conntrack.collect(context)
    assert isinstance(found, Conntrack)
    assert (found.count, found.max, found.buckets) == (4, 262144, None)
    assert found.timeouts_s == {"close": 10, "established": 432000}
    assert found.stats["drop"] == 16


def test_no_connection_tracking_is_no_gap(tmp_path: Path) -> None:
    context = netns_context(tmp_path, {"proc/sys/net/ipv4/tcp_syn_retries": "6"})
    assert conntrack.collect(context) is None
    assert context.gaps == []


def test_where_no_setting_can_be_read_it_is_unknown_whether_connections_are_tracked(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="sys/net"):
        conntrack.collect(netns_context(tmp_path, {}))


# --- settings ---------------------------------------------------------------------------------------------------------


def read(root: Path, files: dict[str, str | bytes]) -> dict[str, str]:
    found = sysctls.collect(netns_context(root, {f"proc/sys/net/{name}": text for name, text in files.items()}))
    assert isinstance(found, dict)
    return found


def test_settings_are_keys_with_dots_and_folded_blanks(tmp_path: Path) -> None:
    assert read(
        tmp_path, {"core/somaxconn": "4096\n", "ipv4/tcp_rmem": "4096\t131072\t6291456\n", "ipv4/empty": "\n"}
    ) == {
        "net.core.somaxconn": "4096",
        "net.ipv4.tcp_rmem": "4096 131072 6291456",
        "net.ipv4.empty": "",
    }


def test_a_dot_in_an_interface_s_name_becomes_a_slash(tmp_path: Path) -> None:
    assert read(tmp_path, {"ipv4/conf/eth0.100/rp_filter": "1\n"}) == {"net.ipv4.conf.eth0/100.rp_filter": "1"}


def test_secrets_and_write_only_keys_are_never_opened(tmp_path: Path) -> None:
    root = tree(tmp_path, {"proc/sys/net/ipv4/tcp_fastopen": "1\n"}).proc / "sys/net"
    for name in ("ipv4/tcp_fastopen_key", "ipv6/conf/all/stable_secret", "core/netdev_rss_key", "ipv4/route/flush"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(root / name)  # to open it would wait for a writer, for ever
    assert read(tmp_path, {}) == {"net.ipv4.tcp_fastopen": "1"}


@pytest.mark.parametrize(("first", "many", "whole"), [(False, True, False), (True, True, True), (False, False, True)])
def test_of_one_namespace_of_many_only_the_known_settings_are_read(
    tmp_path: Path, *, first: bool, many: bool, whole: bool
) -> None:
    known: dict[str, str | bytes] = {
        "proc/sys/net/core/somaxconn": "4096\n",
        "proc/sys/net/ipv4/conf/eth0.100/rp_filter": "1\n",
        "proc/sys/net/netfilter/nf_conntrack_tcp_loose": "0\n",
    }
    context = netns_context(tmp_path, known | {"proc/sys/net/ipv4/conf/lo/medium_id": "0\n"})
    root = context.host.roots.proc / "sys/net/ipv4"
    os.mkfifo(root / "tcp_fastopen_key")  # to open it would wait for a writer, for ever
    context.host.many, context.place.first = many, first
    found = sysctls.collect(context)
    assert isinstance(found, dict)
    assert found.pop("net.ipv4.conf.lo.medium_id", None) == ("0" if whole else None)
    assert found == {
        "net.core.somaxconn": "4096",
        "net.ipv4.conf.eth0/100.rp_filter": "1",
        "net.netfilter.nf_conntrack_tcp_loose": "0",
    }


def test_hostile_names_and_values_are_text(tmp_path: Path) -> None:
    bad = os.fsdecode(b"\xff\x1b[2J")
    assert read(tmp_path, {f"ipv4/conf/{bad}/rp_filter": b"\xfe\x1b\n"}) == {
        "net.ipv4.conf.\\xff\x1b[2J.rp_filter": "\\xfe\x1b"
    }
