"""HO211: ip_local_port_range covers ports on which services listen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.knowledge.service_ports import WELL_KNOWN
from halfopen.lint.check import Check
from halfopen.model.quantity import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.ip_local_port_range"
RESERVED = "net.ipv4.ip_local_reserved_ports"
LOW = 10000
"""Below it most services that need no privilege have their ports: a warning; above only some: a notice."""


class PortRangeOverServices(Check):
    """A wide `ip_local_port_range` lends ports of services to outgoing connections.

    ## What it finds
    A range that covers ports on which configured programs of the same run listen, or well-known ports of services,
    unless `net.ipv4.ip_local_reserved_ports` keeps them out. A notice for a container, which has few services.

    ## Why it matters
    An outgoing connection may hold the port when its service starts: «address already in use», once in a while, and
    never when somebody looks. The gain is small: the limit is per source, destination and destination port.

    ## Evidence
    The range, and the ports that it covers.

    ## Confirm by hand
    `ss -tan 'sport = :8080'` shows connections from a service's port.

    ## Remedy
    Keep the ports out with `net.ipv4.ip_local_reserved_ports`, or begin the range above them.

    ## When it is wrong
    On a host that runs no services in the range, as some load generators.

    ## References
    Documentation/networking/ip-sysctl.rst.
    """

    code = "HO211"
    name = "port-range-over-services"
    severity = "warning"
    harm = "risk"
    proof = "port-range"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every range over such ports."""
        reserved = _reserved(context)
        configured = {port: listener.program for _, listener in context.listeners() for port in _port(listener.address)}
        for document, item in context.settings(KEY):
            if item.numbers is None or len(item.numbers) != 2:
                continue
            low, high = item.numbers
            covered = {port: name for port, name in (WELL_KNOWN | configured).items()
                       if low <= port <= high and not reserved[port]}  # fmt: skip
            mine = [port for port in covered if port in configured]
            if not covered or (low >= _DEFAULT_LOW and not mine):
                continue
            names = listed([f"{port} ({covered[port]})" for port in sorted(mine or covered)], most=SHOWN)
            yield self.on(
                document,
                item,
                f"outgoing connections may take ports of services, which then cannot start: {names}",
                "keep the ports of your services out with net.ipv4.ip_local_reserved_ports, or begin the "
                "range above them",
                # In a container's namespace are its own ports only.
                severity=None if mine or (low < LOW and not item.in_container) else "notice",
            )


_DEFAULT_LOW = 32768
SHOWN = 6
PORT_MAX = 65535
_RESERVED = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_ADDRESS_PORT = re.compile(r"(?:^|:)(\d{1,5})$")


def _port(address: str) -> list[int]:
    match = _ADDRESS_PORT.search(address)
    return [int(match[1])] if match and int(match[1]) <= PORT_MAX else []


def _reserved(context: Context) -> bytearray:
    """A flag for each port: 1 when the files reserve it."""
    flags = bytearray(PORT_MAX + 1)
    for _document, item in context.settings(RESERVED):
        for match in _RESERVED.finditer(item.value or ""):
            first, last = int(match[1]), min(int(match[2] or match[1]), PORT_MAX)
            flags[first : last + 1] = b"\1" * max(0, last + 1 - first)
    return flags[: PORT_MAX + 1]
