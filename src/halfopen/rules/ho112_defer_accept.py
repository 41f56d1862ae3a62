"""HO112: clients that say nothing fill the SYN queue of a TCP_DEFER_ACCEPT listener."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.rule import Rule
from halfopen.rules.syn_queue import half_open_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space

#: Half of the SYN queue: from there on a burst of ordinary size meets a full one.
FILLED_SHARE_MIN = 0.5

WHERE = "nginx: no `deferred` at `listen`; Apache httpd: `AcceptFilter http none`; HAProxy: no `defer-accept`."


class DeferAccept(Rule):
    """Idle clients fill the SYN queue, because TCP_DEFER_ACCEPT keeps them there.

    ## What it finds
    A listener with TCP_DEFER_ACCEPT whose SYN queue is at least half full.

    ## Why it matters
    With the option, a connection stays half-open until the client sends data. Clients that connect and wait (connection
    pools, browsers that connect ahead, health checks) take a place in the SYN queue for seconds. When it is full,
    cookies take over, and those bypass the option. Protocols in which the server speaks first stall for the whole time.

    ## Evidence
    The option (as getsockopt gives it: the time is rounded up to SYN-ACK periods of 1, 3, 7, 15 s), rows in SYN_RECV,
    of which at most half were sent a second SYN-ACK, and `TCPDeferAcceptDrop`, which counts the ACKs without data.

    ## Confirm by hand
    `ss -tan state syn-recv 'sport = :PORT'`; `nstat -az TcpExtTCPDeferAcceptDrop`.

    ## Remedy
    Turn the option off in the application (nginx: no `deferred` at listen; Apache: `AcceptFilter http none`), or
    shorten its time.

    ## When it is wrong
    The half-open requests may be a flood's that is younger than a second: older ones of it were sent a second SYN-ACK,
    and `TCPDeferAcceptDrop` stands still.

    ## References
    tcp(7), TCP_DEFER_ACCEPT; Linux `net/ipv4/tcp_minisocks.c` `tcp_check_req`, `net/ipv4/inet_connection_sock.c`
    `syn_ack_recalc`.
    """

    code = "HO112"
    name = "defer-accept-fills-syn-queue"
    severity = "warning"
    harm = "slow"
    proof = "defer-accept"
    needs = ("sockets", "listener_options")
    absorbs = ("HO105",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each such listener."""
        for space in context.spaces:
            for listening in space.listening:
                options = listening.first.options
                if options is None or not options.defer_accept_s:
                    continue
                if listening.syn_queue < FILLED_SHARE_MIN * listening.syn_queue_limit or not _keep_silent(
                    space, listening
                ):
                    continue
                yield self.finding(
                    space.subject("listener", listening.name, **listening.identity()),
                    f"TCP_DEFER_ACCEPT keeps clients that say nothing half-open for up to {options.defer_accept_s} "
                    "s, and they fill the "
                    "SYN queue.",
                    (
                        *half_open_evidence(listening),
                        Evidence("TCP_DEFER_ACCEPT", options.defer_accept_s, "s", "getsockopt"),
                        space.counted("TCPDeferAcceptDrop", "ACKs without data", "ACKs"),
                    ),
                    remedy=Remedy("Turn TCP_DEFER_ACCEPT off in the application, or shorten it.", (), (WHERE,)),
                    confirm=space.command(f"ss -tan state syn-recv 'sport = :{listening.port}'"),
                    confidence="likely",
                )


def _keep_silent(space: Space, listening: Listening) -> bool:
    """Whether those in the queue have sent their ACK. The kernel sends them no second SYN-ACK, a flood's it does."""
    acknowledged = listening.syn_queue - listening.syn_queue_retransmitted
    return bool(space.now.counter("TcpExt", "TCPDeferAcceptDrop")) and acknowledged * 2 >= listening.syn_queue
