"""HO702: peers do not close their side of connections that this host has closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

KEY = "net.ipv4.tcp_fin_timeout"
#: They take 256 bytes each: fewer are nobody's concern.
MANY = 1000


class FinWait2(Rule):
    """Peers do not close their side: connections wait in FIN_WAIT_2.

    ## What it finds
    A thousand connections and more in FIN_WAIT_2 that no process holds any more; or that a process still holds, which
    has called shutdown() and not close().

    ## Why it matters
    This host has closed, the peer has acknowledged that and does not close. Each is kept for `tcp_fin_timeout` (60 s).
    It is the peer's leak (its CLOSE_WAIT); here it costs little, and a local port where this host was the client. A
    socket that is shut down and not closed has no such limit, costs a descriptor as well, and is a leak of both.

    ## Evidence
    Sockets in FIN_WAIT_2 without a process, and the setting; those with one.

    ## Confirm by hand
    `ss -tano state fin-wait-2`.

    ## Remedy
    Look at the peers' programs, or at the one here that does not close. `tcp_fin_timeout` of 15 to 30 s is harmless
    where peers cannot be repaired.

    ## When it is wrong
    Peers that send long answers after our half-close; servers that linger for a while before they close.

    ## References
    RFC 9293 section 3.6; Linux `net/ipv4/tcp.c` `__tcp_close`.
    """

    code = "HO702"
    name = "peers-do-not-close"
    severity = "notice"
    harm = "untidy"
    proof = "leaks"
    needs = ("sockets",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace and each kind."""
        for space in context.spaces:
            orphans = 0 if space.now.sockets is None else space.now.sockets.orphans.get("FIN_WAIT2", 0)
            held = space.states("FIN_WAIT2") - orphans
            if orphans >= MANY:
                yield self._closed(space, orphans)
            if held >= MANY:
                yield self._held(space, held)

    def _closed(self, space: Space, count: int) -> Finding:
        return self.finding(
            space.whole(),
            "Peers keep connections open that this host has closed.",
            (Evidence("in FIN_WAIT_2 without a process", count, "sockets", "sock_diag"), space.setting(KEY)),
            remedy=Remedy("Look at the peers' programs: they do not call close()."),
            confirm=space.command("ss -tano state fin-wait-2"),
        )

    def _held(self, space: Space, count: int) -> Finding:
        return self.finding(
            space.whole(),
            "Programs here have shut connections down and keep them: without close() they wait for the peer's end for "
            "as long as it takes.",
            (Evidence("in FIN_WAIT_2 with a process", count, "sockets", "sock_diag"),),
            remedy=Remedy(
                "Let the program close what it has shut down, after a while: tcp_fin_timeout begins with close() only.",
            ),
            confirm=space.command("ss -tanp state fin-wait-2"),
        )
