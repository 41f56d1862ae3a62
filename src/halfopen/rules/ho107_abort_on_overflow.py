"""HO107: tcp_abort_on_overflow is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

KEY = "net.ipv4.tcp_abort_on_overflow"


class AbortOnOverflow(Rule):
    """`tcp_abort_on_overflow` turns a moment of slowness into refused connections.

    ## What it finds
    `net.ipv4.tcp_abort_on_overflow` that is not 0.

    ## Why it matters
    With it, the final ACK of a handshake that finds the accept queue full is answered by a RST. Without it the ACK is
    dropped and the handshake completes a second later, when the SYN-ACK is sent again. It does not «fix» an overflow,
    and does less than is said of it: SYNs that find the queue full are still dropped in silence.

    ## Evidence
    The setting; connections reset in the handshake (`EmbryonicRsts`) where accept queues have overflowed.

    ## Confirm by hand
    `sysctl net.ipv4.tcp_abort_on_overflow`.

    ## Remedy
    Set it to 0, the default; it acts with the next packet. Then repair the overflow itself, if there is one.

    ## When it is wrong
    Behind a load balancer that tries the next server at once on a RST, it may be meant.

    ## References
    Documentation/networking/ip-sysctl.rst; Linux `net/ipv4/tcp_minisocks.c` `tcp_check_req`.
    """

    code = "HO107"
    name = "abort-on-overflow"
    severity = "notice"
    harm = "risk"
    proof = "lost-final-ack"
    needs = ("sysctls",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace that has listeners."""
        for space in context.spaces:
            if not space.sysctl(KEY):
                continue
            hurts = bool(space.grown("ListenOverflows") and space.grown("EmbryonicRsts"))
            yield self.finding(
                space.key(KEY),
                "A handshake that meets a full accept queue is reset instead of completing a second later.",
                (space.setting(KEY), *((space.counted("EmbryonicRsts", "handshakes reset"),) if hurts else ())),
                remedy=Remedy("Set it back to 0.", (space.change(KEY, "0"),)),
                confirm=space.command(f"sysctl {KEY}"),
                severity="warning" if hurts else None,
                harm="failing" if hurts else None,
            )
