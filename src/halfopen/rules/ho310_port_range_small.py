"""HO310: the range of local ports is small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.ports import SMALL_SIZE
from halfopen.model.quantity import grouped
from halfopen.rules.more_ports import DEFAULT_RANGE, RANGE_KEY
from halfopen.rules.port_forecast import TIME_WAIT_S
from halfopen.rules.ports import reserved_in
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class PortRangeSmall(Rule):
    """The range of local ports is much smaller than the default.

    ## What it finds
    `ip_local_port_range`, less the reserved ports, with fewer than 7000 ports (28 232 by default).

    ## Why it matters
    For each destination that many connections can exist, TIME_WAIT included. A client that closes first can open range
    / 60 a second to one destination.

    ## Evidence
    The range, and `ip_local_reserved_ports`.

    ## Confirm by hand
    `sysctl net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports`.

    ## Remedy
    Go back to the default; keep ports of services free with `ip_local_reserved_ports`. Choose bounds of different
    parity.

    ## When it is wrong
    Where a firewall or a NAT gives the host only those ports.

    ## References
    Documentation/networking/ip-sysctl.rst; Linux `net/ipv4/inet_hashtables.c` `__inet_hash_connect`.
    """

    code = "HO310"
    name = "port-range-small"
    severity = "notice"
    harm = "risk"
    proof = "port-range"
    needs = ("sysctls",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            bounds = space.port_range
            if bounds is None:
                continue
            reserved = reserved_in(space.now, *bounds)
            size = bounds[1] - bounds[0] + 1 - reserved
            if size >= SMALL_SIZE:
                continue
            yield self.finding(
                space.key(RANGE_KEY),
                f"Only {grouped(size)} local ports: for each destination at most {size / TIME_WAIT_S:.0f} "
                "connections a second that this "
                "host closes first.",
                (
                    space.setting(RANGE_KEY),
                    Evidence("reserved in it", reserved, "ports", "ip_local_reserved_ports") if reserved else None,
                ),
                remedy=Remedy(
                    "Widen the range; the default is 32768 to 60999.", (space.change(RANGE_KEY, DEFAULT_RANGE),)
                ),
                confirm=space.command(f"sysctl {RANGE_KEY}"),
            )
