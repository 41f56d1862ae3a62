"""nft's and iptables' texts of one packet filter are told once."""

from __future__ import annotations

from halfopen.knowledge.firewall.iptables import parse_iptables_save
from halfopen.knowledge.firewall.merged import RULES_MAX, in_use, managed_by_iptables, merge
from halfopen.knowledge.firewall.nft import parse_nft
from halfopen.knowledge.firewall.ruleset import Ruleset

NFT = parse_nft(
    """# Warning: table ip filter is managed by iptables-nft, do not touch!
table ip filter {
    chain INPUT { type filter hook input priority filter; policy accept;
        tcp dport 80 counter packets 1 bytes 2 drop
    }
}
table ip nat { chain post { type nat hook postrouting priority srcnat; masquerade; } }
table inet mine { chain in { type filter hook input priority filter; drop; } }
"""
)
SAVED = parse_iptables_save(
    "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 80 -j DROP\nCOMMIT\n*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n",
    "ip",
)
UNUSED = parse_iptables_save("*filter\n:INPUT ACCEPT [5:9]\nCOMMIT\n", "ip")


def test_tables_that_iptables_made() -> None:
    assert managed_by_iptables(NFT) == {("ip", "filter")}


def test_iptables_own_words_win_and_no_rule_is_told_twice() -> None:
    found = merge(NFT, [SAVED])
    assert [(rule.table, rule.text.split()[0]) for rule in found.rules] == [
        ("nat", "masquerade"), ("mine", "drop"), ("filter", "-A"),
    ]  # fmt: skip
    assert [chain.table for chain in found.chains] == ["nat", "mine", "filter"]
    assert found.backends == ("nftables", "iptables-nft")


def test_without_iptables_nft_s_words_stay() -> None:
    found = merge(NFT)
    assert [rule.table for rule in found.rules] == ["filter", "nat", "mine"]
    assert found.backends == ("nftables", "iptables-nft")


def test_tables_that_somebody_only_looked_at_are_not_in_use() -> None:
    assert not in_use(UNUSED)
    found = merge(Ruleset(), legacy=[UNUSED])
    assert (found.backends, found.chains) == ((), ())
    policy = parse_iptables_save("*filter\n:INPUT DROP [5:9]\nCOMMIT\n", "ip")
    assert merge(Ruleset(), legacy=[policy]).backends == ("iptables-legacy",)


def test_rules_beyond_the_limit_are_counted() -> None:
    many = parse_iptables_save("*filter\n:INPUT ACCEPT [0:0]\n" + "-A INPUT -j DROP\n" * (RULES_MAX + 7), "ip")
    found = merge(Ruleset(), legacy=[many])
    assert (len(found.rules), found.rules_left_out) == (RULES_MAX, 7)
