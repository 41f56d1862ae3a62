"""HO307: SYNs that this host sends have to be sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import plural, share
from halfopen.rules.fast_open import eaten
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: Fewer in one interval are chance.
AGAIN_MIN = 3
#: One in a hundred waits for a second: users notice.
SHARE_MIN = 0.01


class SynRetransmissions(Rule):
    """Connects from this host have to send their SYN again.

    ## What it finds
    `TCPSynRetrans` that moves between two snapshots by one in a hundred connects and more, on a host whose own
    listeners have no half-open requests with a repeated SYN-ACK.

    ## Why it matters
    Each such connect takes a second longer, or two or three. The program sees a slow network, and no error.

    ## Evidence
    `TCPSynRetrans` against `ActiveOpens`. The counter counts repeated SYN-ACKs as well, so that on a server it says
    nothing of outgoing connects: the rule then stays silent.

    ## Confirm by hand
    `nstat -az TcpExtTCPSynRetrans TcpActiveOpens`, twice; `ss -tano state syn-sent` while it happens names the
    destination.

    ## Remedy
    Find the destination (HO306 names it when it is caught in the act; `--for 30s` helps), then `halfopen doctor
    ADDRESS:PORT`.

    ## When it is wrong
    A program that looks for hosts that may be off.

    ## References
    Linux `net/ipv4/tcp_output.c` `tcp_retransmit_skb`, `tcp_rtx_synack`.
    """

    code = "HO307"
    name = "syn-retransmissions"
    severity = "warning"
    harm = "slow"
    proof = "lost-syn"
    needs = ("sockets", "counters", "interval")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            again, opens = space.growth("TCPSynRetrans"), space.growth("ActiveOpens", "Tcp")
            if again is None or opens is None or not again.measured or not opens.count:
                continue
            # What is sent again because data in a SYN is lost, HO504 tells.
            unexplained = again.count - eaten(space)
            if unexplained < max(AGAIN_MIN, SHARE_MIN * opens.count) or _repeats_syn_acks(space):
                continue
            yield self.finding(
                space.whole(),
                f"{plural(again.count, 'SYN')} had to be sent again for {plural(opens.count, 'connect')} of this host.",
                (
                    space.counted("TCPSynRetrans", "SYNs sent again", "SYNs"),
                    space.counted("ActiveOpens", "connects", "connections", "Tcp"),
                    Evidence("share", share(again.count, opens.count)) if again.count <= opens.count else None,
                ),
                remedy=Remedy("Name the destination while it happens, then look at the way to it.", (), STEPS),
                confirm=space.command("ss -tano state syn-sent"),
                confidence="likely",
            )


STEPS = ("Run it again with --for 30s: a destination that is caught in the act is named.",)


def _repeats_syn_acks(space: Space) -> bool:
    """Whether listeners repeat SYN-ACKs, which the same counter counts; now, or when the interval began."""
    earlier = () if space.before is None or space.before.sockets is None else space.before.sockets.listeners
    now = any(listening.syn_queue_retransmitted for listening in space.listening)
    return now or any(listener.syn_queue_retransmitted for listener in earlier)
