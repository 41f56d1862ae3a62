"""HO504: SYNs with data from this host get lost, and each costs a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.fast_open import KEY
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

BLACK_HOLE = "net.ipv4.tcp_fastopen_blackhole_timeout_sec"
FAILED_MIN = 5
#: One in five fails: on the paths where it works, it nearly always works.
FAILED_SHARE_MIN = 0.2


class FastOpenBlackHole(Rule):
    """SYNs with data from this host get lost on the way: each such connect takes a second longer.

    ## What it finds
    `TCPFastOpenActiveFail` that moves by one in five of Fast Open's connects and more.

    ## Why it matters
    Some middle boxes drop SYNs that carry data or an option they do not know. The kernel then sends a plain SYN, a
    second later. Since Linux 5.14 it does not remember such a place by default, and tries again each time.

    ## Evidence
    `TCPFastOpenActiveFail` against `TCPFastOpenActive`, and `tcp_fastopen_blackhole_timeout_sec`.

    ## Confirm by hand
    `nstat -az 'TcpExtTCPFastOpenActive*'`, twice; `halfopen probe --fast-open HOST:PORT` compares the two ways.

    ## Remedy
    `tcp_fastopen_blackhole_timeout_sec=3600`, as it was before 5.14, or leave Fast Open out of the program.

    ## When it is wrong
    A server that was restarted with another key makes a few fail.

    ## References
    RFC 7413 section 7.1; Linux `net/ipv4/tcp_fastopen.c` `tcp_fastopen_active_detect_blackhole`.
    """

    code = "HO504"
    name = "fast-open-black-hole"
    severity = "warning"
    harm = "slow"
    needs = ("counters",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            failed, worked = space.grown("TCPFastOpenActiveFail"), space.grown("TCPFastOpenActive")
            if failed < max(FAILED_MIN, FAILED_SHARE_MIN * (failed + worked)):
                continue
            off = space.sysctl(BLACK_HOLE) == 0
            yield self.finding(
                space.key(KEY),
                "SYNs with data get lost on the way, and each such connect takes a second longer.",
                (
                    space.counted("TCPFastOpenActiveFail", "Fast Open connects that failed", "connections"),
                    space.counted("TCPFastOpenActive", "Fast Open connects that worked", "connections"),
                    space.setting(BLACK_HOLE),
                ),
                remedy=Remedy(
                    "Let the kernel remember black holes." if off else "Leave Fast Open out of the program.",
                    (space.change(BLACK_HOLE, "3600"),) if off else (),
                ),
                confirm=space.command("nstat -az 'TcpExtTCPFastOpenActive*'"),
                confidence="likely",
            )
