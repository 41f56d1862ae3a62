"""What ``connect()`` says of a SYN that a rule of a packet filter rejects, by what the rule rejects with.

Sources: Linux ``net/ipv4/icmp.c`` (``icmp_err_convert``), ``net/ipv6/icmp.c`` (``tab_unreach``),
``net/netfilter/nft_reject.c`` (``icmp_code_v4``, ``icmp_code_v6``: what ``icmpx`` becomes); nft(8),
iptables-extensions(8).
"""

from __future__ import annotations

import re

#: The word in a rule's text → the error, IPv4 and IPv6. What one family lacks is None.
_ERRORS: dict[str, tuple[str | None, str | None]] = {
    "tcp reset": ("ECONNREFUSED", "ECONNREFUSED"),
    "tcp-reset": ("ECONNREFUSED", "ECONNREFUSED"),
    "tcp-rst": ("ECONNREFUSED", "ECONNREFUSED"),
    "port-unreach": ("ECONNREFUSED", "ECONNREFUSED"),
    "net-unreach": ("ENETUNREACH", None),
    "host-unreach": ("EHOSTUNREACH", "EHOSTUNREACH"),
    "prot-unreach": ("ENOPROTOOPT", None),
    "proto-unreach": ("ENOPROTOOPT", None),
    "net-prohibited": ("ENETUNREACH", None),
    "host-prohibited": ("EHOSTUNREACH", None),
    "admin-prohibited": ("EHOSTUNREACH", "EACCES"),
    "adm-prohibited": (None, "EACCES"),
    "addr-unreach": (None, "EHOSTUNREACH"),
    "no-route": ("ENETUNREACH", "ENETUNREACH"),
    "policy-fail": (None, "EACCES"),
    "reject-route": (None, "EACCES"),
}
_WITH = re.compile(r"(?:\breject with |--reject-with )(.*)")


def error_of_reject(text: str, *, v6: bool) -> str | None:
    """The error's name; None where the text names something unknown.

    Without a word it is port unreachable, in nft and in iptables.
    """
    found = _WITH.search(text)
    words = "port-unreach" if found is None else found[1]
    return next((errors[v6] for word, errors in _ERRORS.items() if word in words), None)


def rejects_with_reset(text: str) -> bool:
    """Whether a RST is sent, in the name of whoever the SYN was for; else it is an ICMP error of the rejecter's own."""
    found = _WITH.search(text)
    return found is not None and found[1].startswith("tcp")
