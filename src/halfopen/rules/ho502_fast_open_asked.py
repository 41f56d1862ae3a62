"""HO502: clients ask for Fast Open, and nothing here offers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.fast_open import KEY, SERVER, flags
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

#: A few are somebody's experiment.
ASKED_MIN = 20


class FastOpenAsked(Rule):
    """Clients ask for a Fast Open cookie, and this server gives none.

    ## What it finds
    `TCPFastOpenCookieReqd` that moves while the server bit of `tcp_fastopen` is off.

    ## Why it matters
    Nothing is wrong. Clients that ask would save a round trip for each connection after their first.

    ## Evidence
    The counter, which counts requests before the kernel looks whether it is enabled; the setting.

    ## Confirm by hand
    `nstat -az TcpExtTCPFastOpenCookieReqd`, twice.

    ## Remedy
    If short connections from the same clients matter: set the server bit (3), and TCP_FASTOPEN in the program. Requests
    must be harmless when they are repeated, because data in a SYN can arrive twice.

    ## When it is wrong
    Where it is off on purpose.

    ## References
    RFC 7413; Linux `net/ipv4/tcp_fastopen.c` `tcp_try_fastopen`.
    """

    code = "HO502"
    name = "fast-open-asked-for"
    severity = "notice"
    harm = "untidy"
    proof = "fast-open-trouble"
    needs = ("counters", "sysctls")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            bits = flags(space)
            if bits is None or bits & SERVER or space.grown("TCPFastOpenCookieReqd") < ASKED_MIN:
                continue
            yield self.finding(
                space.key(KEY),
                "Clients ask for Fast Open cookies, and this server gives none.",
                (space.counted("TCPFastOpenCookieReqd", "cookies asked for", "SYNs"), space.setting(KEY)),
                remedy=Remedy(
                    "Nothing needs to be done; with 3, and TCP_FASTOPEN in the program, they save a round trip."
                ),
                confirm=space.command("nstat -az TcpExtTCPFastOpenCookieReqd"),
            )
