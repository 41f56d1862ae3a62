"""HO108: without cookies the last quarter of tcp_max_syn_backlog is closed to unknown clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.cookies import SYNCOOKIES, mode
from halfopen.rules.drops import other_drops
from halfopen.rules.rule import Rule
from halfopen.rules.syn_queue import MAX_SYN_BACKLOG, full, half_open_evidence, soft_limit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class ThreeQuarterRule(Rule):
    """SYNs of unknown clients are dropped though the SYN queue has room: the three-quarter rule.

    ## What it finds
    `tcp_syncookies=0`, and a listener with as many half-open requests as three quarters of `tcp_max_syn_backlog`, while
    drops at listeners move that are neither overflows of an accept queue nor of a SYN queue.

    ## Why it matters
    Without cookies the kernel keeps the last quarter for clients whose round trip it has measured before. New clients
    are dropped, and no counter of its own tells of it: only `ListenDrops` moves, and nothing is logged. Alarms on
    `TCPReqQFullDrop` miss it.

    ## Evidence
    Rows in SYN_RECV, `tcp_max_syn_backlog`, and `ListenDrops` less `ListenOverflows` less `TCPReqQFullDrop`.

    ## Confirm by hand
    `ss -Htan state syn-recv | wc -l` stands at ¾ of `sysctl net.ipv4.tcp_max_syn_backlog`, and `nstat -az
    TcpExtListenDrops` moves.

    ## Remedy
    `tcp_syncookies=1`. Only where cookies must stay off: raise `tcp_max_syn_backlog`, which counts in this case alone.

    ## When it is wrong
    The same drops come from a missing route back, from lack of memory and from security modules.

    ## References
    Linux `net/ipv4/tcp_input.c` `tcp_conn_request`, `net/ipv4/tcp_metrics.c` `tcp_peer_is_proven`.
    """

    code = "HO108"
    name = "three-quarter-rule"
    severity = "critical"
    harm = "failing"
    proof = "syn-queue-limits"
    needs = ("sockets", "counters", "sysctls")
    absorbs = ("HO207",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each listener past three quarters."""
        for space in context.spaces:
            most = space.sysctl(MAX_SYN_BACKLOG)
            if mode(space) != "never" or most is None or most <= 0:
                continue
            drops = other_drops(space)
            for listening in space.listening:
                if listening.syn_queue < soft_limit(most) or full(listening):
                    continue
                yield self.finding(
                    space.subject("listener", listening.name, **listening.identity()),
                    "SYN cookies are off, and three quarters of tcp_max_syn_backlog are taken: SYNs of clients that "
                    "the kernel has "
                    "never measured are dropped.",
                    (
                        *half_open_evidence(listening),
                        space.setting(MAX_SYN_BACKLOG),
                        Evidence(
                            "drops that no other counter explains",
                            drops,
                            "SYNs",
                            "ListenDrops - ListenOverflows - TCPReqQFullDrop",
                        ),
                    ),
                    remedy=Remedy("Turn SYN cookies on; they act with the next SYN.", (space.change(SYNCOOKIES, "1"),)),
                    confirm=space.command("nstat -az TcpExtListenDrops TcpExtListenOverflows TcpExtTCPReqQFullDrop"),
                    confidence="certain" if drops else "likely",
                )
