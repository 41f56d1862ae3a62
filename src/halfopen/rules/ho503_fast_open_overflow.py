"""HO503: the queue of pending Fast Open requests overflows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

#: One moment's overflow costs one round trip.
OVERFLOWS_MIN = 5


class FastOpenOverflow(Rule):
    """The queue of pending Fast Open requests is too short.

    ## What it finds
    `TCPFastOpenListenOverflow` that moves.

    ## Why it matters
    A SYN with data that finds the queue full gets an ordinary handshake: no connection is lost, but the round trip that
    Fast Open saves is.

    ## Evidence
    The counter, against those that were accepted (`TCPFastOpenPassive`).

    ## Confirm by hand
    `nstat -az 'TcpExtTCPFastOpen*'`, twice.

    ## Remedy
    A larger number for TCP_FASTOPEN in the program (nginx `fastopen=256`): rate x round trip.

    ## When it is wrong
    Under a flood of SYNs with data the limit is what protects.

    ## References
    RFC 7413 section 5.1; Linux `net/ipv4/tcp_fastopen.c` `tcp_fastopen_queue_check`.
    """

    code = "HO503"
    name = "fast-open-queue-short"
    severity = "notice"
    harm = "slow"
    proof = "fast-open-trouble"
    needs = ("counters",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            if space.grown("TCPFastOpenListenOverflow") < OVERFLOWS_MIN:
                continue
            yield self.finding(
                space.whole(),
                "SYNs with data found the Fast Open queue full, and got an ordinary handshake.",
                (
                    space.counted("TCPFastOpenListenOverflow", "Fast Open queue overflows", "SYNs"),
                    space.counted("TCPFastOpenPassive", "accepted by Fast Open", "connections"),
                ),
                remedy=Remedy("Pass a larger number to TCP_FASTOPEN in the program (nginx: `fastopen=`)."),
                confirm=space.command("nstat -az 'TcpExtTCPFastOpen*'"),
            )
