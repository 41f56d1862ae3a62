"""HO505: clients come with Fast Open cookies that this server does not accept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

FAILED_MIN = 5
FAILED_SHARE_MIN = 0.2

STEPS = ("Give all servers behind one address the same `net.ipv4.tcp_fastopen_key` (a secret: mode 0600).",)


class FastOpenCookies(Rule):
    """Clients come with Fast Open cookies that this server does not accept.

    ## What it finds
    `TCPFastOpenPassiveFail` that moves by one in five of Fast Open's connections and more.

    ## Why it matters
    A cookie is valid on the server that gave it. Behind a load balancer whose servers have keys of their own, most are
    wrong: the data in the SYN is thrown away, and sent again a round trip later.

    ## Evidence
    `TCPFastOpenPassiveFail` against `TCPFastOpenPassive`. The key itself is a secret and is not read.

    ## Confirm by hand
    `nstat -az 'TcpExtTCPFastOpenPassive*'`, twice.

    ## Remedy
    The same key on every server behind one address.

    ## When it is wrong
    After a restart, or a change of the key, old cookies fail for a while.

    ## References
    RFC 7413 section 4.1.2; Documentation/networking/ip-sysctl.rst, tcp_fastopen_key.
    """

    code = "HO505"
    name = "fast-open-cookies-refused"
    severity = "notice"
    harm = "slow"
    proof = "fast-open-trouble"
    needs = ("counters",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            failed, worked = space.grown("TCPFastOpenPassiveFail"), space.grown("TCPFastOpenPassive")
            if failed < max(FAILED_MIN, FAILED_SHARE_MIN * (failed + worked)):
                continue
            yield self.finding(
                space.whole(),
                "Clients come with Fast Open cookies that are not valid here: another server's, or of an older key.",
                (
                    space.counted("TCPFastOpenPassiveFail", "cookies refused", "SYNs"),
                    space.counted("TCPFastOpenPassive", "accepted by Fast Open", "connections"),
                ),
                remedy=Remedy("Use one key on all servers behind one address.", (), STEPS),
                confirm=space.command("nstat -az 'TcpExtTCPFastOpenPassive*'"),
                confidence="likely",
            )
