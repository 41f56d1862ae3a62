"""iptables-save and nftables: the parsers are ``halfopen.knowledge.firewall``'s."""

from __future__ import annotations

import re

from halfopen.knowledge.firewall.iptables import parse_iptables_save
from halfopen.knowledge.firewall.nft import parse_nft
from halfopen.lint.document import Document

_V6 = re.compile(r"^-[AI]\b.*\s(?:ipv6-icmp|icmpv6|icmp6)\b", re.MULTILINE)


def read_iptables(path: str, text: str) -> Document:
    """The output of iptables-save; that of ip6tables-save says so in its first line, its name or its protocols."""
    is_v6 = "ip6tables-save" in text or path.endswith(".v6") or _V6.search(text) is not None
    return Document(path, "iptables", ruleset=parse_iptables_save(text, "ip6" if is_v6 else "ip"))


def read_nft(path: str, text: str) -> Document:
    """A file for ``nft -f``, or what ``nft list ruleset`` printed."""
    return Document(path, "nft", ruleset=parse_nft(text))
