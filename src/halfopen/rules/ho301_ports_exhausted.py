"""HO301: no local port is left for a destination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import grouped
from halfopen.rules.destinations import rooms
from halfopen.rules.more_ports import more_ports
from halfopen.rules.ports import port_evidence
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class PortsExhausted(Rule):
    """No local port is left for a destination: connects to it fail with EADDRNOTAVAIL.

    ## What it finds
    A source address, destination and port whose connections, TIME_WAIT included, take every port of
    `ip_local_port_range` that is not reserved.

    ## Why it matters
    connect() to it fails with «Cannot assign requested address» at once, while another destination, or another port of
    the same one, still works. The kernel counts these failures nowhere.

    ## Evidence
    Sockets of that four-tuple by state, against the range less `ip_local_reserved_ports`; connections that this host
    closes first a second, each of which costs a port for 60 s.

    ## Confirm by hand
    `ss -Htan 'dst ADDRESS and dport = :PORT' | wc -l` against `sysctl net.ipv4.ip_local_port_range`.

    ## Remedy
    A range that is narrower than the default of 28 232 ports is widened to it. Otherwise use connections again
    (keep-alive, a pool), or let the other side close first. `tcp_tw_reuse=1` gives ports back after a second where they
    are in TIME_WAIT and timestamps are on; it is proposed only then. More source addresses
    multiply the ports, with IP_BIND_ADDRESS_NO_PORT. `tcp_fin_timeout` does not shorten TIME_WAIT; nothing does.

    ## When it is wrong
    Sockets with IP_LOCAL_PORT_RANGE of their own, or ports that the program binds itself outside the range.

    ## References
    Linux `net/ipv4/inet_hashtables.c` `__inet_hash_connect`, `__inet_check_established`; ip(7).
    """

    code = "HO301"
    name = "ports-exhausted"
    severity = "critical"
    harm = "failing"
    proof = "time-wait-ports"
    needs = ("sockets", "sysctls")
    absorbs = ("HO302", "HO303", "HO304", "HO305", "HO310")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each destination."""
        for space, room, subject in rooms(context):
            if room.left:
                continue
            towards = f"dst {room.destination.destination} and dport = :{room.destination.port}"
            yield self.finding(
                subject,
                f"All {grouped(room.available)} local ports are taken for this destination: connect() fails with "
                "EADDRNOTAVAIL.",
                port_evidence(space, room),
                remedy=more_ports(space, room),
                confirm=space.command(f"ss -Htan '{towards}' | wc -l"),
            )
