"""HO405: ACKs arrive whose SYN cookie is not valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.cookies import cookie_evidence
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

#: A restart leaves a few.
FAILED_MIN = 50


class FailingCookies(Rule):
    """ACKs arrive whose SYN cookie is not valid, more than valid ones.

    ## What it finds
    `SyncookiesFailed` that moves by 50 and more, and more than `SyncookiesRecv`.

    ## Why it matters
    Either somebody floods with ACKs; or another machine answers the SYNs (a load balancer that sends packets of one
    connection to two servers); or the listener was restarted, and what fails are segments of connections that it had
    before.

    ## Evidence
    The two counters. ACKs to a listener are counted only within two minutes after it last sent a cookie.

    ## Confirm by hand
    `nstat -az 'TcpExtSyncookies*'`, twice; `tcpdump 'tcp[tcpflags] == tcp-ack'` on the port (IPv4).

    ## Remedy
    None by itself. Behind a load balancer: check that it keeps a connection on one server.

    ## When it is wrong
    After a restart under load it is normal.

    ## References
    Linux `net/ipv4/syncookies.c` `cookie_v4_check`; `include/net/tcp.h` `tcp_synq_no_recent_overflow`.
    """

    code = "HO405"
    name = "failing-syn-cookies"
    severity = "notice"
    harm = "risk"
    proof = "cookies-for-clients"
    needs = ("counters",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            failed = space.grown("SyncookiesFailed")
            if failed < FAILED_MIN or failed <= space.grown("SyncookiesRecv"):
                continue
            yield self.finding(
                space.whole(),
                "ACKs with a wrong SYN cookie arrive: stray segments after a restart, a flood of ACKs, or a second "
                "machine behind "
                "the address.",
                (space.counted("SyncookiesFailed", "ACKs without a valid cookie", "ACKs"), *cookie_evidence(space)),
                confirm=space.command("nstat -az 'TcpExtSyncookies*'"),
                confidence="possible",
            )
