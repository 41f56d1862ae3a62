"""HO504: SYNs with data from this host get lost, and each costs a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.fast_open import CLIENT, KEY, eaten, flags
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class FastOpenBlackHole(Rule):
    """SYNs with data from this host get lost on the way: each such connect takes a second longer.

    ## What it finds
    `TCPFastOpenActiveFail` that moves by one in five of Fast Open's connects and more.

    ## Why it matters
    Some middle boxes drop SYNs that carry data or an option they do not know. The kernel then sends a plain SYN, a
    second later, and does not remember it: the next connect pays the second again.

    ## Evidence
    `TCPFastOpenActiveFail` against `TCPFastOpenActive`, while SYNs are sent again (`TCPSynRetrans`): a server that
    refuses the cookie moves the first counter, too, and costs no time.

    ## Confirm by hand
    `nstat -az 'TcpExtTCPFastOpenActive*'`, twice; `halfopen probe --fast-open HOST:PORT` compares the two ways.

    ## Remedy
    Take the client's bit (1) out of `tcp_fastopen`, or leave Fast Open out of the program that uses it. A program that
    asks for it nevertheless gets EOPNOTSUPP, and has to connect as usual. `tcp_fastopen_blackhole_timeout_sec` does not
    help: it looks at connects that lose three SYNs in a row, and here the second one gets through.

    ## When it is wrong
    Servers that refuse cookies (keys that differ behind a load balancer), while other connects lose their SYN.

    ## References
    RFC 7413 section 7.1; Linux `net/ipv4/tcp_fastopen.c` `tcp_fastopen_active_detect_blackhole`.
    """

    code = "HO504"
    name = "fast-open-black-hole"
    severity = "warning"
    harm = "slow"
    proof = "fast-open-trouble"
    needs = ("counters",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            bits = flags(space)
            if not eaten(space):
                continue
            if bits is not None and not bits & CLIENT:  # no longer
                continue
            yield self.finding(
                space.key(KEY),
                "SYNs with data get lost on the way, and each such connect takes a second longer.",
                (
                    space.counted("TCPFastOpenActiveFail", "Fast Open connects that failed", "connections"),
                    space.counted("TCPFastOpenActive", "Fast Open connects that worked", "connections"),
                    space.setting(KEY),
                ),
                remedy=Remedy(
                    "Turn Fast Open off for this host as a client, or leave it out of the program that uses it.",
                    () if bits is None else (space.change(KEY, str(bits & ~CLIENT)),),
                ),
                confirm=space.command("nstat -az 'TcpExtTCPFastOpenActive*'"),
                confidence="likely",
            )
