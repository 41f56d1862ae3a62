"""HO403: real clients come faster than a SYN queue holds, and get cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.backlog import raise_backlog
from halfopen.rules.cookies import cookie_evidence, mode, returned_share, sent
from halfopen.rules.rule import Rule
from halfopen.rules.syn_queue import half_open_evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space

#: A handful is one moment.
SENT_MIN = 20
#: Clients that mean it return their cookie, save for what gets lost.
REAL_MIN = 0.5


class CookieOverload(Rule):
    """Real clients come faster than a SYN queue holds, and are served by SYN cookies.

    ## What it finds
    SYN cookies that come back: more than half of those sent.

    ## Why it matters
    It is no attack: the backlog is too short for rate x round trip. Connections by cookie lose what the SYN offered
    where the client has no timestamps, and a lost SYN-ACK is not sent again, so that one in many connects hangs.

    ## Evidence
    `SyncookiesSent` against `SyncookiesRecv`, and the listener with the fullest SYN queue.

    ## Confirm by hand
    `nstat -az 'TcpExtSyncookies*'`, twice.

    ## Remedy
    Raise the backlog of the listener to the rate times the slowest round trip (10 000 a second x 0.3 s = 3000).

    ## When it is wrong
    In mode 2 every connection has a cookie (HO208).

    ## References
    Linux `net/ipv4/tcp_input.c` `tcp_conn_request`; RFC 4987.
    """

    code = "HO403"
    name = "cookies-for-real-clients"
    severity = "warning"
    harm = "slow"
    proof = "cookies-for-clients"
    needs = ("counters", "sockets")
    absorbs = ("HO105", "HO406")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            growth, back = sent(space), returned_share(space)
            if mode(space) == "always" or growth is None or not growth.recent or growth.count < SENT_MIN:
                continue
            listening = _fullest(space)
            if back is None or back <= REAL_MIN or listening is None:
                continue
            yield self.finding(
                space.subject("listener", listening.name, **listening.identity()),
                "Real clients come faster than the SYN queue holds, and are served by SYN cookies.",
                (*cookie_evidence(space), *half_open_evidence(listening)),
                remedy=raise_backlog(space, listening.first),
                confirm=space.command("nstat -az 'TcpExtSyncookies*'"),
                confidence="likely",
            )


def _fullest(space: Space) -> Listening | None:
    """The listener that it most likely is: the fullest SYN queue, and among empty ones the shortest."""
    return max(
        space.listening, key=lambda one: (one.syn_queue / one.syn_queue_limit, -one.syn_queue_limit), default=None
    )
