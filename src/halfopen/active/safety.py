"""Which addresses a load may be aimed at without a word: those that nobody else answers for."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

_HARMLESS: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("127.0.0.0/8"),  # loopback, RFC 1122 section 3.2.1.3
    IPv4Network("10.0.0.0/8"),  # private, RFC 1918
    IPv4Network("172.16.0.0/12"),
    IPv4Network("192.168.0.0/16"),
    IPv4Network("169.254.0.0/16"),  # link-local, RFC 3927
    IPv4Network("198.18.0.0/15"),  # benchmarks, RFC 2544
    IPv6Network("::1/128"),  # loopback, RFC 4291
    IPv6Network("fc00::/7"),  # unique local, RFC 4193
    IPv6Network("fe80::/10"),  # link-local, RFC 4291
)


def is_harmless(address: str) -> bool:
    """Whether ``address`` is loopback, private, link-local or set aside for benchmarks.

    Not so: the shared addresses of carriers (RFC 6598), multicast, and 0.0.0.0, which the kernel makes something of.
    """
    ip: IPv4Address | IPv6Address = ip_address(address)
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in network for network in _HARMLESS)
