"""HO702: peers do not close their side of connections that this host has closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

KEY = "net.ipv4.tcp_fin_timeout"
#: They take 256 bytes each: fewer are nobody's concern.
MANY = 1000


class FinWait2(Rule):
    """Peers do not close their side: connections wait in FIN_WAIT_2.

    ## What it finds
    A thousand connections and more in FIN_WAIT_2 that no process holds any more.

    ## Why it matters
    This host has closed, the peer has acknowledged that and does not close. Each is kept for `tcp_fin_timeout` (60 s).
    It is the peer's leak (its CLOSE_WAIT); here it costs little, and a local port where this host was the client.

    ## Evidence
    Sockets in FIN_WAIT_2 without a process, and the setting.

    ## Confirm by hand
    `ss -tano state fin-wait-2`.

    ## Remedy
    Look at the peers' programs. `tcp_fin_timeout` of 15 to 30 s is harmless where they cannot be repaired.

    ## When it is wrong
    Peers that send long answers after our half-close.

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
        """One finding for each namespace."""
        for space in context.spaces:
            count = 0 if space.now.sockets is None else space.now.sockets.orphans.get("FIN_WAIT2", 0)
            if count < MANY:
                continue
            yield self.finding(
                space.whole(),
                "Peers keep connections open that this host has closed.",
                (Evidence("in FIN_WAIT_2 without a process", count, "sockets", "sock_diag"), space.setting(KEY)),
                remedy=Remedy("Look at the peers' programs: they do not call close()."),
                confirm=space.command("ss -tano state fin-wait-2"),
            )
