"""HO302: more than half of the local ports are taken for a destination, and connect() becomes slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import share
from halfopen.rules.destinations import rooms
from halfopen.rules.more_ports import more_ports
from halfopen.rules.ports import port_evidence
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.ports import Headroom

#: connect() takes ports of the lower bound's parity first: half of the range.
CLIFF_SHARE = 0.5
#: Near enough that a busier minute reaches it.
NEAR_SHARE = 0.45


class PortsPastHalf(Rule):
    """More than half of the local ports are taken for a destination: connect() becomes slow.

    ## What it finds
    A source address, destination and port whose connections, TIME_WAIT included, take half of the ports of
    `ip_local_port_range` (a notice from 45 %).

    ## Why it matters
    connect() tries ports of one parity first, at random. When those are used up it walks through them all before it
    takes one of the other parity: 5 µs became 820 µs of CPU for each connect in a measurement on Linux 6.18 with the
    default range; the experiment, with its few ports, does not time it. The wall, where connects fail, comes at the
    full range.

    ## Evidence
    Sockets of that four-tuple against the range; ports of the first parity that are taken.

    ## Confirm by hand
    `ss -Htan 'dst ADDRESS and dport = :PORT' | wc -l` against `sysctl net.ipv4.ip_local_port_range`.

    ## Remedy
    As for HO301: widen a narrow range, and the cliff moves with it; use connections again; let the other side close;
    `tcp_tw_reuse=1` where its conditions hold; more source addresses.

    ## When it is wrong
    Kernels from 6.15 on search more cheaply; the wall stays where it is.

    ## References
    Linux `net/ipv4/inet_hashtables.c` `__inet_hash_connect`.
    """

    code = "HO302"
    name = "ports-past-half"
    severity = "warning"
    harm = "slow"
    proof = "time-wait-ports"
    needs = ("sockets", "sysctls")
    absorbs = ("HO303", "HO304", "HO310")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each destination."""
        for space, room, subject in rooms(context):
            past = _is_past(room)
            if not room.left or not (past or room.share >= NEAR_SHARE):
                continue
            part = share(room.taken, room.available)
            state = (
                "connect() searches for a free one, and is slow" if past else "at half of them connect() becomes slow"
            )
            towards = f"dst {room.destination.destination} and dport = :{room.destination.port}"
            yield self.finding(
                subject,
                f"{part} of the local ports are taken for this destination: {state}.",
                port_evidence(space, room),
                remedy=more_ports(space, room),
                confirm=space.command(f"ss -Htan '{towards}' | wc -l"),
                severity=None if past else "notice",
                harm=None if past else "growing",
            )


def _is_past(room: Headroom) -> bool:
    half = room.available * CLIFF_SHARE
    # connect() takes a port that tcp_tw_reuse gives back where it meets it, and needs not search the other parity.
    all_stay = room.taken == room.in_use
    return room.taken >= half or (all_stay and room.destination.low_parity >= half)
