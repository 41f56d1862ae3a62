"""iptables-save and nftables: the parsers are ``halfopen.knowledge.firewall``'s."""

from __future__ import annotations

from halfopen.knowledge.firewall.iptables import parse_iptables_save
from halfopen.knowledge.firewall.nft import parse_nft
from halfopen.lint.document import Document


def read_iptables(path: str, text: str) -> Document:
    """The output of iptables-save; that of ip6tables-save says so in its first line."""
    return Document(path, "iptables", ruleset=parse_iptables_save(text, "ip6" if "ip6tables-save" in text else "ip"))


def read_nft(path: str, text: str) -> Document:
    """A file for ``nft -f``, or what ``nft list ruleset`` printed."""
    return Document(path, "nft", ruleset=parse_nft(text))
