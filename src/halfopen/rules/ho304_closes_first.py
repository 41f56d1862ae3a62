"""HO304: this host opens connections to a destination for a moment each, and closes them first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.destinations import rooms
from halfopen.rules.ports import port_evidence
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

#: A tenth of the range: below it there is nothing to gain.
SHARE_MIN = 0.1
#: Nearly all of the ports are of connections that are over.
TIME_WAIT_SHARE_MIN = 0.8


class ClosesFirst(Rule):
    """This host opens short connections to a destination and closes them first: each costs a port for a minute.

    ## What it finds
    A destination that takes a tenth of the local ports and more, four in five of them in TIME_WAIT.

    ## Why it matters
    TIME_WAIT stays with the side that closes first, and on the side that connects it costs a local port for 60 s. There
    is room yet; the rate of connects is bounded by range / 60 (470 a second with the default range).

    ## Evidence
    TIME_WAIT entries by destination; divided by 60 s they are the connections closed a second.

    ## Confirm by hand
    `ss -Htan state time-wait 'dst ADDRESS and dport = :PORT' | wc -l`.

    ## Remedy
    Keep-alive or a pool, which also saves a handshake for each request. Or the protocol lets the other side close
    first.

    ## When it is wrong
    It is no fault: many programs work like that for ever.

    ## References
    RFC 9293 section 3.6.1; Linux `net/ipv4/tcp_minisocks.c` `tcp_time_wait`.
    """

    code = "HO304"
    name = "closes-first"
    severity = "notice"
    harm = "untidy"
    proof = "time-wait-ports"
    needs = ("sockets", "sysctls")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each destination."""
        for space, room, subject in rooms(context):
            if room.share < SHARE_MIN or room.destination.time_wait < TIME_WAIT_SHARE_MIN * room.in_use:
                continue
            towards = f"dst {room.destination.destination} and dport = :{room.destination.port}"
            yield self.finding(
                subject,
                f"About {room.closes_per_s:.0f} connections a second are opened for a moment and closed by this host "
                "first.",
                port_evidence(space, room),
                remedy=Remedy(
                    "Keep connections open and use them again.",
                    (),
                    ("Keep-alive, or a connection pool, in the client.",),
                ),
                confirm=space.command(f"ss -Htan state time-wait '{towards}' | wc -l"),
            )
