"""HO303: at the present rate the local ports for a destination run out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.model.quantity import duration
from halfopen.rules.destinations import rooms
from halfopen.rules.more_ports import more_ports
from halfopen.rules.ports import port_evidence
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

#: Ahead of that a person can do something; a rate of ten seconds says nothing of an hour.
AHEAD_S = 600.0
#: A rate that is made of a handful of connections is none.
GROWTH_PER_S_MIN = 5.0


class PortsRunningOut(Rule):
    """At the present rate, no local port will be left for a destination.

    ## What it finds
    A destination whose connections became more between two snapshots, so fast that the ports run out within ten
    minutes.

    ## Why it matters
    At the end connect() fails with EADDRNOTAVAIL, and half-way it becomes slow; both come suddenly, and no counter
    warns of them.

    ## Evidence
    Ports taken now and before. Ports in TIME_WAIT come back after 60 s, so that they level off at 60 times the rate: a
    growth that levels off below the range is not reported.

    ## Confirm by hand
    `ss -Htan 'dst ADDRESS and dport = :PORT' | wc -l`, twice.

    ## Remedy
    As for HO301: widen a narrow range, use connections again, let the other side close first,
    `tcp_tw_reuse=1` where its conditions hold.

    ## When it is wrong
    A burst that ends by itself, such as a start.

    ## References
    Linux `net/ipv4/inet_hashtables.c` `__inet_hash_connect`; `include/net/tcp.h` TCP_TIMEWAIT_LEN.
    """

    code = "HO303"
    name = "ports-running-out"
    severity = "warning"
    harm = "growing"
    proof = "port-range"
    needs = ("sockets", "sysctls", "interval")
    absorbs = ("HO304", "HO310")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each destination."""
        for space, room, subject in rooms(context):
            ahead = room.seconds_to_exhaustion
            if not ahead or ahead > AHEAD_S or (room.growth_per_s or 0) < GROWTH_PER_S_MIN:
                continue
            cliff = room.seconds_to_cliff
            yield self.finding(
                subject,
                f"At this rate no local port is left for this destination in {duration(ahead * 1e6)}.",
                (
                    *port_evidence(space, room),
                    Evidence("until connect() becomes slow", round(cliff), "s", "sock_diag, two snapshots")
                    if cliff
                    else None,
                    Evidence("until it fails", round(ahead), "s", "sock_diag, two snapshots"),
                ),
                remedy=more_ports(space, room),
                confirm=space.command(
                    f"ss -Htan 'dst {room.destination.destination} and dport = :{room.destination.port}' | wc -l"
                ),
                confidence="likely",
            )
