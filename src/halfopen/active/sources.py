"""Local addresses: of an interface, and the one that the kernel would choose. No packet is sent."""

from __future__ import annotations

import fcntl
import socket
import struct
from dataclasses import replace
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from halfopen.errors import UsageError

if TYPE_CHECKING:
    from halfopen.active.resolve import Resolution

#: linux/sockios.h.
_SIOCGIFADDR = 0x8915
#: net/if_inet6's scope of an address that is valid everywhere, include/net/ipv6.h.
_SCOPE_GLOBAL, _SCOPE_HOST = 0x00, 0x10
#: net/if.h, with the byte that ends the name.
_NAME_MAX = 15
#: The discard port: connect() of a UDP socket chooses a route and sends nothing.
_ANY_PORT = 9


def source_address(source: str, *, ipv6: bool) -> str:
    """The address that ``source`` is, or that the interface of that name has.

    Raises:
        UsageError: it is neither, or of the other family.
    """
    family = "IPv6" if ipv6 else "IPv4"
    try:
        address = ip_address(source)
    except ValueError:
        found = _of_interface(source, ipv6=ipv6)
        if found is None:
            raise UsageError(f"the interface {source} has no {family} address") from None
        return found
    if (address.version == 6) != ipv6:
        raise UsageError(
            f"the source {source} cannot reach an {family} address", hint="choose the target's with -4 or -6"
        )
    # The link of a link-local one is that of the target.
    return str(address).partition("%")[0]


def fitting(resolution: Resolution, source: str | None) -> Resolution:
    """The same with only those addresses that can be reached from ``source``.

    Raises:
        UsageError: none can, or it is neither an address nor an interface.
    """
    if source is None:
        return resolution
    found, refused = [], None
    for destination in resolution.destinations:
        try:
            source_address(source, ipv6=destination.is_ipv6)
            found.append(destination)
        except UsageError as error:
            refused = error
    if not found and refused is not None:
        raise refused
    return replace(resolution, destinations=tuple(found))


def chosen_source(address: str, scope_id: int = 0) -> str | None:
    """The local address from which the kernel would connect to ``address``; None where it has no way there."""
    ipv6 = ":" in address
    with socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, _ANY_PORT, 0, scope_id) if ipv6 else (address, _ANY_PORT))
            return str(probe.getsockname()[0]).partition("%")[0]
        except OSError:
            return None


def _of_interface(name: str, *, ipv6: bool) -> str | None:
    try:
        if len(name.encode()) > _NAME_MAX:
            raise UsageError(f"{name!r} is neither a local address nor an interface")
        socket.if_nametoindex(name)
    except OSError:
        raise UsageError(f"{name!r} is neither a local address nor an interface") from None
    return _ipv6_of(name) if ipv6 else _ipv4_of(name)


def _ipv4_of(name: str) -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            answer = fcntl.ioctl(any_socket, _SIOCGIFADDR, struct.pack("256s", name.encode()))
        except OSError:
            return None
    return socket.inet_ntoa(answer[20:24])  # struct ifreq: 16 bytes of name, family, port, address


def _ipv6_of(name: str) -> str | None:
    """From /proc/net/if_inet6: address, index, prefix length, scope, flags, name; global ones before all others."""
    try:
        lines = Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    rows = [line.split() for line in lines]
    found = [(int(row[3], 16), row[0]) for row in rows if row[5] == name]
    usable = sorted(item for item in found if item[0] in {_SCOPE_GLOBAL, _SCOPE_HOST})
    return str(IPv6Address(int(usable[0][1], 16))) if usable else None
