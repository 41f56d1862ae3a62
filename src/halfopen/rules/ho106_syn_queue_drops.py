"""HO106: a SYN queue is full, and without cookies SYNs are dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.cookies import SYNCOOKIES, mode
from halfopen.rules.rule import Rule
from halfopen.rules.syn_queue import full, half_open_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Evidence, Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space


class SynQueueDrops(Rule):
    """SYNs are dropped because a SYN queue is full and SYN cookies are off.

    ## What it finds
    `tcp_syncookies=0`, and either a listener with more half-open requests than its limit, or `TCPReqQFullDrop` that
    moves.

    ## Why it matters
    While the queue is full, SYNs are dropped, whoever sent them. Forged ones can keep it full: under 1000 a second at
    most half of the clients of the experiment `flood-with-clients` get in.

    ## Evidence
    Rows in SYN_RECV against the limit; the counter `TCPReqQFullDrop`, which only this case raises.

    ## Confirm by hand
    `nstat -az TcpExtTCPReqQFullDrop`, twice; `sysctl net.ipv4.tcp_syncookies`.

    ## Remedy
    `tcp_syncookies=1`, the default: it takes effect with the next SYN. A larger backlog is no defence against a flood.

    ## When it is wrong
    Never, when the counter moves. A full queue alone may be a TCP_DEFER_ACCEPT listener with idle clients (HO112).

    ## References
    Linux `net/ipv4/tcp_input.c` `tcp_conn_request`, `tcp_syn_flood_action`; RFC 4987.
    """

    code = "HO106"
    name = "syn-queue-full-drops"
    severity = "critical"
    harm = "failing"
    proof = "syn-queue-limits"
    needs = ("counters", "sysctls")
    absorbs = ("HO108", "HO112", "HO115", "HO207")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each full queue, or for the namespace when none can be named."""
        for space in context.spaces:
            if mode(space) != "never":
                continue
            queues = [listening for listening in space.listening if full(listening)]
            for listening in queues:
                yield self.finding(
                    space.subject("listener", listening.name, **listening.identity()),
                    "The SYN queue is full and SYN cookies are off: every further SYN is dropped.",
                    (*half_open_evidence(listening), _drops(space), space.setting(SYNCOOKIES)),
                    remedy=_remedy(space),
                    confirm=space.command("nstat -az TcpExtTCPReqQFullDrop"),
                )
            if not queues and space.grown("TCPReqQFullDrop"):
                yield self.finding(
                    space.whole(),
                    "SYNs were dropped at a full SYN queue, because SYN cookies are off.",
                    (_drops(space), space.setting(SYNCOOKIES)),
                    remedy=_remedy(space),
                    confirm=space.command("nstat -az TcpExtTCPReqQFullDrop"),
                )


def _drops(space: Space) -> Evidence | None:
    return space.counted("TCPReqQFullDrop", "SYNs dropped at a full SYN queue", "SYNs")


def _remedy(space: Space) -> Remedy:
    return Remedy("Turn SYN cookies on; they act with the next SYN.", (space.change(SYNCOOKIES, "1"),))
