"""HO105: a SYN queue is full, and SYN cookies decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.backlog import bound, raise_backlog
from halfopen.rules.cookies import cookie_evidence, mode
from halfopen.rules.rule import Rule
from halfopen.rules.syn_queue import full, half_open_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class SynQueueCookies(Rule):
    """A listener's SYN queue is full, and SYN cookies stand in for it.

    ## What it finds
    A listener with more half-open requests than its limit, in a namespace with `tcp_syncookies=1`.

    ## Why it matters
    Connections still succeed. But a cookie keeps no state: the SYN-ACK is never sent again when it is lost, the MSS is
    rounded down to one of four values, clients without timestamps lose window scaling and SACK, and TCP_DEFER_ACCEPT
    and Fast Open do not apply.

    ## Evidence
    Rows in SYN_RECV for the listener against its limit (the backlog and one more: `tcp_max_syn_backlog` does not count
    while cookies are on), and the cookies sent and returned.

    ## Confirm by hand
    `ss -Htan state syn-recv 'sport = :PORT' | wc -l` against `Send-Q` of `ss -ltn`; `nstat -az 'TcpExtSyncookies*'`.

    ## Remedy
    If cookies come back, the clients are real and the queue is too short for rate x round trip: raise the backlog. If
    they do not come back, it is a flood, and cookies are the right answer: leave it.

    ## When it is wrong
    Requests of TCP_DEFER_ACCEPT listeners wait in the SYN queue by design (HO112).

    ## References
    Linux `net/ipv4/tcp_input.c` `tcp_conn_request`, `include/net/inet_connection_sock.h`
    `inet_csk_reqsk_queue_is_full`, `net/ipv4/syncookies.c`.
    """

    code = "HO105"
    name = "syn-queue-full-cookies"
    severity = "notice"
    harm = "slow"
    proof = "syn-queue-limits"
    needs = ("sockets", "sysctls")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each full SYN queue that no flood explains."""
        for space in context.spaces:
            if mode(space) != "when_full":
                continue
            for listening in filter(full, space.listening):
                why = bound(space, listening.first)
                yield self.finding(
                    space.subject("listener", listening.name, **listening.identity()),
                    "The SYN queue is full and cookies stand in for it" + (f"; {why.sentence}." if why else "."),
                    (*half_open_evidence(listening), *cookie_evidence(space)),
                    remedy=raise_backlog(space, listening.first),
                    confirm=space.command(f"ss -tan state syn-recv 'sport = :{listening.port}'"),
                    confidence="likely",
                )
