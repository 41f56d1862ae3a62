"""HO115: SYN-ACKs go out and no ACK comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.filter_conditions import Packet
from halfopen.rules.filter_counters import grown
from halfopen.rules.filtering import stops
from halfopen.rules.rule import Rule
from halfopen.rules.syn_queue import half_open_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.filtering import Stop
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space

#: Fewer are the clients that any server on the Internet has: scanners, phones that lost their network.
HALF_OPEN_MIN = 20
#: Nearly all: the SYN-ACK was sent again a second ago or more, and still nobody answered.
RETRANSMITTED_SHARE_MIN = 0.8


class HalfOpenUnanswered(Rule):
    """SYN-ACKs go out, and no ACK comes back.

    ## What it finds
    A listener with at least 20 half-open requests, four in five of which have had their SYN-ACK sent again.

    ## Why it matters
    Either the SYNs come from forged addresses (a flood), or the way back is broken: a firewall that sees only one
    direction, asymmetric routes, a load balancer that expects the answer elsewhere. In the second case these are real
    users who cannot connect.

    ## Evidence
    Rows in SYN_RECV and how often their SYN-ACK was sent (`idiag_retrans`).

    ## Confirm by hand
    `ss -tano state syn-recv 'sport = :PORT'`: the last number of `timer:(…)` counts retransmissions. Are the peers'
    addresses yours? Then capture at a client: does the SYN-ACK arrive?

    ## Remedy
    Addresses of your own networks: look for the SYN-ACK with `tcpdump` along the way back. Addresses from everywhere: a
    flood; with `tcp_syncookies=1` nothing needs to be done. A rule at this host's own output that keeps the answers is
    named, where there is one: let them pass.

    ## When it is wrong
    A few mobile clients that vanished; TCP_DEFER_ACCEPT keeps clients half-open whose ACK has come (HO112).

    ## References
    Linux `net/ipv4/inet_diag.c` `inet_req_diag_fill`; RFC 4987.
    """

    code = "HO115"
    name = "half-open-unanswered"
    severity = "warning"
    harm = "risk"
    proof = "half-open-left"
    needs = ("sockets",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each listener."""
        for space in context.spaces:
            for listening in space.listening:
                if listening.syn_queue < HALF_OPEN_MIN:
                    continue
                if (stop := _swallowing(space, listening.port)) is not None:
                    yield self._swallowed(space, listening, stop)
                elif _unanswered(listening):
                    yield self._left_alone(space, listening)

    def _left_alone(self, space: Space, listening: Listening) -> Finding:
        look = space.command(f"ss -tano state syn-recv 'sport = :{listening.port}'")
        return self.finding(
            space.subject("listener", listening.name, **listening.identity()),
            "SYN-ACKs are sent again and again, and nobody answers them: a flood from forged addresses, or "
            "the way back is broken.",
            half_open_evidence(listening),
            remedy=Remedy(
                "See whose addresses they are; if they are your clients', follow the SYN-ACK on its way back.",
                (),
                (f"`{look}`",),
            ),
            confirm=look,
            confidence="likely",
        )

    def _swallowed(self, space: Space, listening: Listening, stop: Stop) -> Finding:
        return self.finding(
            space.subject("listener", listening.name, **listening.identity()),
            f"Its SYN-ACKs get no further than {stop.where}, at this host's own output: nobody can connect.",
            (*half_open_evidence(listening), Evidence("packets that it kept", stop.packets, "packets", "rule counter")),
            remedy=Remedy(f"Let answers from port {listening.port} pass before that rule."),
            confirm=space.command("nft list ruleset"),
            severity="critical",
            harm="failing",
            confidence="certain" if stop.certain else "likely",
        )


def _unanswered(listening: Listening) -> bool:
    options = listening.first.options
    again = listening.syn_queue_retransmitted
    return again >= RETRANSMITTED_SHARE_MIN * listening.syn_queue and not (options and options.defer_accept_s)


def _swallowing(space: Space, port: int) -> Stop | None:
    """What at this host's output stops answers from a port: every condition of it holds, or its counter moved.

    The kernel does not count such an answer as sent: these requests seem never to have been answered again.
    """
    if space.now.packet_filter is None:
        return None
    completed = space.growth("PassiveOpens", "Tcp")
    nobody_gets_in = completed is not None and completed.stood_still
    for stop in stops(space.now.packet_filter, "output", Packet(None, None, None, answer_from=port)):
        if stop.certain or (nobody_gets_in and stop.rule is not None and grown(space, stop.rule)):
            return stop
    return None
