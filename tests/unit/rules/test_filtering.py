"""What the packet filter does with a packet: what stops it, and what nobody can judge from a snapshot."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.rules.notation import snapshots
from tests.unit.rules.test_local_causes import OUTPUT, rule

from halfopen.model.network import PacketFilter
from halfopen.rules.filter_conditions import Packet
from halfopen.rules.filtering import stops

SYN = Packet("10.0.0.1", "192.0.2.9", 443, out="eth0")
PASSES = "passes"
DROPS = "drops"


def outcome(packet: Packet, rules: list[dict[str, Any]], policy: str = "accept") -> str:
    """What stands first in its way, or ``passes``."""
    chains = [{**OUTPUT, "policy": policy}]
    now = {"packet_filter": {"chains": chains, "rules": rules}}
    packet_filter = snapshots({"now": now})[0].netns[0].packet_filter
    assert isinstance(packet_filter, PacketFilter)
    found = list(stops(packet_filter, "output", packet))
    sure = [stop for stop in found if stop.certain]
    return DROPS if sure else found[0].doubt or "" if found else PASSES


def accepts(text: str, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """A rule that accepts, and one behind it that drops everything."""
    return [rule(text, "accept", **more), rule("drop")]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([rule("meta skuid 1000 drop")], "«meta skuid 1000»"),
        ([rule("-A OUTPUT -m owner --uid-owner 33 -j DROP")], "«-m owner --uid-owner 33»"),
        ([rule("-A OUTPUT -p tcp -m mark --mark 1 -j REJECT --reject-with tcp-reset", "reject")], "«-m mark --mark 1»"),
        ([rule("-A OUTPUT -m set --match-set bad dst -j DROP")], "«-m set --match-set bad dst»"),
        ([rule("ip daddr @bad drop", destinations=["@bad"])], "«ip daddr @bad»"),
        ([rule("tcp dport @web drop", ports=["@web"])], "«tcp dport @web»"),
        (accepts("tcp dport @web accept", ports=["@web"]), "the rule «tcp dport @web accept» before it"),
        (accepts("meta skuid 33 tcp dport 443 accept", ports=["443"]),
         "the rule «meta skuid 33 tcp dport 443 accept» before it"),
        (accepts("tcp dport 443 accept", ports=["443"]), PASSES),
        (accepts('oifname "eth0" accept'), PASSES),
        (accepts('oifname "eth1" accept'), DROPS),
        (accepts('oifname != "eth1" accept'), PASSES),
        (accepts('oifname { "lo", "eth*" } accept'), PASSES),
        (accepts("-A OUTPUT -o eth+ -j ACCEPT"), PASSES),
        (accepts("-A OUTPUT ! -o eth0 -j ACCEPT"), DROPS),
        (accepts("-A OUTPUT -o lo -j ACCEPT"), DROPS),
        ([rule('oifname "eth0" tcp dport 443 drop', ports=["443"])], DROPS),
        ([rule('oif "eth1" drop')], PASSES),
        ([rule("tcp dport 443 queue to 0", "queue", ports=["443"])], "what the program of its queue decides"),
        ([rule("jump x", "jump x"), rule("return", "return", "x"), rule("drop", chain="x")], PASSES),
        ([rule("goto x", "goto x"), rule("tcp dport 80 drop", chain="x", ports=["80"]), rule("drop")], PASSES),
        ([rule("meta mark 1 jump x", "jump x"), rule("drop", chain="x")],
         "«meta mark 1» of the rule «meta mark 1 jump x» before it"),
        ([rule("ct state vmap { established : accept, new : drop }", "vmap", conntrack=True)], DROPS),
        ([rule("ct state vmap { invalid : drop, established : accept }", "vmap", conntrack=True)], PASSES),
        ([rule("tcp dport vmap { 22 : accept, 400-500 : drop }", "vmap", ports=[])], DROPS),
        ([rule("tcp dport vmap { 22 : drop, 443 : accept }", "vmap"), rule("drop")], PASSES),
        ([rule("tcp dport vmap { 443 : jump x }", "vmap"), rule("drop", chain="x")], DROPS),
        ([rule("tcp dport vmap { * : drop, 443 : accept }", "vmap")], PASSES),
        ([rule("tcp dport vmap { 22 : accept, * : drop }", "vmap")], DROPS),
        ([rule('tcp dport vmap { 443 comment "a, b" : jump x } comment "a : accept, b"', "vmap"),
          rule("drop", chain="x")], DROPS),
        ([rule('oifname vmap { "eth0" : drop }', "vmap")], DROPS),
        ([rule('oifname vmap { "lo" : accept, "eth*" : drop }', "vmap")], DROPS),
        ([rule("ct status dnat accept", "accept"), rule("drop")], "the rule «ct status dnat accept» before it"),
        ([rule("meta mark vmap { 0x1 : drop }", "vmap")], "its verdict map"),
        ([rule("ip daddr . tcp dport vmap @services", "vmap")], "its verdict map"),
        ([rule("meta skuid 7 tcp dport vmap { 443 : drop }", "vmap")], "«meta skuid 7»"),
    ],
)  # fmt: skip
def test_what_becomes_of_a_syn(rules: list[dict[str, Any]], expected: str) -> None:
    assert outcome(SYN, rules) == expected


def test_what_is_not_judged_before_a_policy_is_named() -> None:
    assert outcome(SYN, [rule("meta cgroup 5 accept", "accept")], "drop") == "the rule «meta cgroup 5 accept» before it"
    assert outcome(SYN, [rule("tcp dport 443 limit rate 5/second accept", "accept", limit="5/second", ports=["443"])],
                   "drop") == "the rule «tcp dport 443 limit rate 5/second accept» before it"  # fmt: skip


def test_where_the_interface_is_not_known_a_rule_that_names_one_is_not_judged() -> None:
    packet = Packet("10.0.0.1", "192.0.2.9", 443)
    assert outcome(packet, [rule('oifname "eth0" drop')]) == '«oifname "eth0"»'
    assert outcome(packet, accepts('oifname "lo" accept')) == DROPS
    assert outcome(Packet("127.0.0.1", "127.0.0.1", 443, loopback=True), accepts('oifname "lo" accept')) == PASSES
