"""nft's text, from literals; most of it as nft 1.0.6 printed it."""
# ruff: noqa: E101  (nft prints tabs)

from __future__ import annotations

import pytest

from halfopen.knowledge.firewall.nft import parse_nft
from halfopen.model.network import FilterChain, FilterRule

LISTED = """table inet filter {
	counter named {
		packets 7 bytes 8
	}

	set blocked {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8,
	    192.0.2.7 }
	}

	chain input {
		type filter hook input priority -5; policy drop;
		ct state established,related accept
		ip saddr @blocked counter packets 3 bytes 180 drop
		tcp dport { 80, 443, 8000-8100 } tcp flags syn / syn,ack limit rate 10/second accept comment "drop }"
		tcp dport 22 update @m { ip saddr limit rate over 30/minute burst 7 packets } counter drop
		tcp dport != 25 meter m2 size 65535 { ip saddr ct count over 20 } reject with tcp reset
		tcp dport vmap { 1000 : drop, 1001 : jump other }
		counter name "named" jump other
	}

	chain other {
		log prefix "drop " goto deeper
	}
}
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
		oif "lo" masquerade
	}
}
"""


def rule(text: str, family: str = "inet") -> FilterRule:
    found = parse_nft(f"table {family} t {{\n chain c {{\n{text}\n}}\n}}\n")
    assert not found.defects
    assert len(found.rules) == 1
    return found.rules[0].rule


def test_chains() -> None:
    chains = [placed.chain for placed in parse_nft(LISTED).chains]
    assert chains == [
        FilterChain("inet", "filter", "input", "input", "drop", -5),
        FilterChain("inet", "filter", "other"),
        FilterChain("ip", "nat", "post", "postrouting", "accept", 100),
    ]


def test_every_rule_and_no_other() -> None:
    rules = parse_nft(LISTED).rules
    assert [placed.rule.verdict for placed in rules] == [
        "accept", "drop", "accept", "drop", "reject", "vmap", "jump other", "goto deeper", "masquerade",
    ]  # fmt: skip
    assert (rules[1].line, rules[1].column) == (16, 3)
    assert rules[0].rule.hook == "input"
    assert rules[7].rule.hook is None


def test_what_a_rule_says() -> None:
    _, blocked, limited, metered, counted, *_ = (placed.rule for placed in parse_nft(LISTED).rules)
    assert (blocked.packets, blocked.bytes, blocked.sources) == (3, 180, ("@blocked",))
    assert limited.ports == ("80", "443", "8000-8100")
    assert (limited.limit, limited.limit_per_source, limited.syn_only) == ("10/second burst 5", False, True)
    assert limited.text.endswith('accept comment "drop }"')
    assert (metered.limit, metered.limit_per_source, metered.sources) == ("over 30/minute burst 7", True, ())
    assert (counted.limit, counted.limit_per_source, counted.ports) == ("over 20 connections", True, ("!25",))
    assert counted.conntrack is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tcp flags & (fin | syn | rst | ack) == syn drop", True),
        ("tcp flags & (syn|ack) == syn drop", True),
        ("tcp flags syn / syn,ack drop", True),
        ("tcp flags syn drop", False),  # SYN-ACKs match as well
        ("tcp flags & (fin | syn | rst | ack) == syn | ack drop", False),
        ("tcp flags & (fin | syn) == syn drop", False),
        ("tcp flags != syn / fin,syn,rst,ack drop", False),
    ],
)
def test_rules_for_syns_only(text: str, expected: bool) -> None:
    assert rule(text).syn_only is expected


@pytest.mark.parametrize(
    ("text", "limit", "per_source"),
    [
        ("limit rate 400/minute burst 10 packets accept", "400/minute burst 10", False),
        ("limit rate over 10 mbytes/second drop", "over 10 mbytes/second burst 5", False),
        ("add @flood { ip6 saddr timeout 10s limit rate over 5/second } drop", "over 5/second burst 5", True),
        ("meter m { tcp dport limit rate 5/second } accept", "5/second burst 5", False),
        ("ip saddr 192.0.2.1 limit rate 5/second accept", "5/second burst 5", False),
        ("ct count 8 accept", "8 connections", False),
        ("accept", None, False),
    ],
)
def test_limits(text: str, limit: str | None, per_source: bool) -> None:
    found = rule(text)
    assert (found.limit, found.limit_per_source) == (limit, per_source)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("ct state new accept", True), ("tcp dport 80 synproxy mss 1460", True), ("tcp dport 80 notrack", False)],
)
def test_what_turns_connection_tracking_on(text: str, expected: bool) -> None:
    assert rule(text).conntrack is expected


def test_addresses() -> None:
    found = rule("ip saddr { 10.0.0.0/8, 192.0.2.1 } ip daddr != 198.51.100.1 ip6 daddr fe80::/10 drop")
    assert found.sources == ("10.0.0.0/8", "192.0.2.1")
    assert found.destinations == ("!198.51.100.1", "fe80::/10")


def test_a_concatenation_names_no_single_address() -> None:
    assert rule("ip saddr . tcp dport @pairs drop").sources == ()


def test_commands_of_a_file() -> None:
    found = parse_nft(
        """#!/usr/sbin/nft -f
flush ruleset
define web = { 80, 443 }
add table inet t
add chain inet t in { type filter hook input priority filter - 10; policy drop; }
add set inet t s { type ipv4_addr; }
add element inet t s { 192.0.2.1, 192.0.2.2 }
add rule inet t in position 4 tcp dport $web \\
    counter update @s { ip saddr } accept  # and then
insert rule t in ct state invalid drop
"""
    )
    assert [placed.chain for placed in found.chains] == [FilterChain("inet", "t", "in", "input", "drop", -10)]
    first, second = found.rules
    assert (first.line, first.rule.hook, first.rule.ports, first.rule.verdict) == (8, "input", ("80", "443"), "accept")
    assert first.rule.text == "tcp dport $web \\ counter update @s { ip saddr } accept"
    assert (second.rule.family, second.rule.hook) == ("ip", None)


def test_names_stand_for_their_values() -> None:
    found = parse_nft(
        """define lan = 10.0.0.0/8
define known = { $lan,
  192.0.2.1 }
table inet t {
 limit syns { rate 25/second burst 50 packets; }
 chain in {
  type filter hook input priority 0;
  ip saddr $known tcp dport { $ports, 22 } ct state new limit name "syns" accept
 }
}
"""
    )
    (rule,) = (placed.rule for placed in found.rules)
    assert rule.sources == ("10.0.0.0/8", "192.0.2.1")
    assert rule.ports == ("$ports", "22")
    assert (rule.limit, rule.limit_per_source, rule.verdict) == ("25/second burst 50", False, "accept")


def test_values_of_values_do_not_grow_without_end() -> None:
    text = "define a0 = x\n" + "".join(f"define a{n + 1} = {{ $a{n}, $a{n} }}\n" for n in range(60))
    found = parse_nft(text + "add rule ip t c ip saddr $a60 accept\n")
    assert len(found.rules[0].rule.sources) < 3000


def test_a_bracket_too_many_is_a_defect() -> None:
    found = parse_nft("}\ntable ip t { chain c { drop; } }\n")
    assert [(defect.line, defect.why) for defect in found.defects] == [(1, "'}' is unexpected")]
    assert len(found.rules) == 1


@pytest.mark.parametrize("cut", range(0, len(LISTED), 5))
def test_any_beginning_of_the_text_can_be_read(cut: int) -> None:
    assert len(parse_nft(LISTED[:cut]).rules) <= 10
