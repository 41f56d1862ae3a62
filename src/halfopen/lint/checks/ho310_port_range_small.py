"""HO310: the range of local ports is small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check
from halfopen.model.ports import DEFAULT_HIGH, DEFAULT_LOW, DEFAULT_SIZE, SMALL_SIZE
from halfopen.model.quantity import grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.ip_local_port_range"


class PortRangeSmall(Check):
    """A small range of local ports is used up soon.

    ## What it finds
    Lines that leave `net.ipv4.ip_local_port_range` fewer than 7000 ports; the default has 28 232.

    ## Why it matters
    So many connections can exist to one destination, those in TIME_WAIT included: a client that closes first opens a
    sixtieth of them a second. Beyond that connect() fails with EADDRNOTAVAIL.

    ## Evidence
    The range in the file.

    ## Confirm by hand
    `halfopen ports` on the host.

    ## Remedy
    Delete the line. Ports of services are kept free with `net.ipv4.ip_local_reserved_ports`.

    ## When it is wrong
    Where a firewall or a NAT lets only these ports through.

    ## References
    Documentation/networking/ip-sysctl.rst; Linux `net/ipv4/inet_hashtables.c`, `__inet_hash_connect`.
    """

    code = "HO310"
    name = "port-range-small"
    severity = "notice"
    harm = "risk"
    proof = "port-range"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings(KEY):
            if item.numbers is None or len(item.numbers) != 2:
                continue
            low, high = item.numbers
            if 1 <= low <= high and high - low + 1 < SMALL_SIZE:
                yield self.on(
                    document,
                    item,
                    f"{grouped(high - low + 1)} local ports are the most connections to one destination, TIME_WAIT "
                    f"included; the default has {grouped(DEFAULT_SIZE)}",
                    f"delete the line: the default is {DEFAULT_LOW} to {DEFAULT_HIGH}",
                )
