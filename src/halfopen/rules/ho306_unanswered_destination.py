"""HO306: connects to a destination wait for an answer to their SYN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import endpoint, plural
from halfopen.rules.accepting import is_full
from halfopen.rules.both_ends import served_here
from halfopen.rules.destinations import destination_subject
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.model.sockets import Destination
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: So many at one moment: every connect, not an unlucky one.
MANY = 10
#: Two SYNs lost in a row (after 1 s and 2 s) are seldom chance; one is.
SEVERAL = 2
OLD_MS = 3000


def _is_explained(context: Context, space: Space, destination: Destination) -> bool:
    """Whether it is a listener of this host whose queue is full: HO101 says so, and why."""
    listening = served_here(context, space, destination)
    return listening is not None and any(is_full(listener) for listener, _ in listening.members)


class UnansweredDestination(Rule):
    """Connects to a destination wait: their SYN was sent again, and nothing came back.

    ## What it finds
    Sockets in SYN_SENT that have sent their SYN more than once, by destination. Those to a listener of this same host
    whose queue is full are HO101's.

    ## Why it matters
    Something drops the SYN or its answer: the host is gone, a firewall drops, its accept queue is full, or this host's
    own rules do. The program waits, up to two minutes by default, and threads and workers wait with it.

    ## Evidence
    Rows in SYN_SENT and how often their SYN was sent (`idiag_retrans`); established connections to the same
    destination, which tell an overloaded server from one that is gone.

    ## Confirm by hand
    `ss -tano state syn-sent`: the last number of `timer:(on,…)` counts retransmissions.

    ## Remedy
    `halfopen doctor ADDRESS:PORT` connects, names what comes back, and goes through the local causes in their order.

    ## When it is wrong
    A program that looks for hosts that may be off (discovery, monitoring) has such sockets all the time.

    ## References
    RFC 9293 section 3.8.1; Linux `net/ipv4/tcp_timer.c` `tcp_retransmit_timer`.
    """

    code = "HO306"
    name = "unanswered-destination"
    severity = "warning"
    harm = "failing"
    proof = "lost-syn"
    needs = ("sockets",)
    absorbs = ("HO307",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each destination."""
        for space in context.spaces:
            for destination in space.destinations:
                if destination.retransmitting and not _is_explained(context, space, destination):
                    yield self._at(space, destination)

    def _at(self, space: Space, destination: Destination) -> Finding:
        again, established = destination.retransmitting, destination.states.get("ESTABLISHED", 0)
        lone = again < SEVERAL and (destination.oldest_syn_ms or 0) < OLD_MS
        towards = f"dst {destination.destination} and dport = :{destination.port}"
        where = endpoint(destination.destination, destination.port)
        waits = "waits" if again == 1 else "wait"
        return self.finding(
            destination_subject(space, destination),
            f"{plural(again, 'connection')} {waits} for an answer to a SYN that was sent more than once"
            + (": some are answered, some are not." if established else ", and none to it is established."),
            (
                Evidence("SYN sent more than once", again, "connections", "sock_diag idiag_retrans"),
                Evidence("waiting for an answer", destination.states.get("SYN_SENT", 0), "connections", "sock_diag"),
                Evidence("established", established, "connections", "sock_diag"),
                None
                if destination.oldest_syn_ms is None
                else Evidence("the oldest waits for", destination.oldest_syn_ms, "ms", "sock_diag"),
            ),
            remedy=Remedy("Find out what drops it.", (), (f"`{space.command(f'halfopen doctor {where}')}`",)),
            confirm=space.command(f"ss -tano state syn-sent '{towards}'"),
            severity="critical" if again >= MANY and not established else "notice" if lone else None,
            harm="slow" if established or lone else None,
        )
