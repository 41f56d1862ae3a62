"""What the ICMP and ICMPv6 errors say that can end a connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.handshake import Handshake

#: ICMP errors that end a connect, by (type, code): RFC 792, RFC 1812 section 5.2.7.1.
ICMP = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 4): "fragmentation needed",
    (3, 5): "source route failed",
    (3, 6): "network unknown",
    (3, 7): "host unknown",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 13): "administratively prohibited",
    (11, 0): "TTL exceeded: a routing loop, or a path longer than the TTL that the SYN left with",
}

#: The same of ICMPv6: RFC 4443 section 3.
ICMP6 = {
    (1, 0): "no route to destination",
    (1, 1): "administratively prohibited",
    (1, 2): "beyond scope of source address",
    (1, 3): "address unreachable",
    (1, 4): "port unreachable",
    (1, 5): "source address failed policy",
    (1, 6): "route rejected",
    (2, 0): "packet too big",
    (3, 0): "hop limit exceeded: a routing loop, or a path longer than the limit that the SYN left with",
}


def icmp_words(handshake: Handshake) -> str | None:
    """What the ICMP error said, or nothing when none is on record."""
    if handshake.icmp_type is None:
        return None
    return icmp_meaning(handshake.icmp_type, handshake.icmp_code or 0, v6=":" in handshake.server)


def icmp_meaning(icmp_type: int, icmp_code: int, *, v6: bool) -> str:
    """The words for a type and code, or the numbers where there are none."""
    return (ICMP6 if v6 else ICMP).get((icmp_type, icmp_code), f"ICMP type {icmp_type} code {icmp_code}")
