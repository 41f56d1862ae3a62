"""HO209: tcp_rfc1337 is switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_rfc1337"


class Rfc1337Set(Check):
    """`tcp_rfc1337 = 1` can hold up reconnects for a minute.

    ## What it finds
    Lines that set `net.ipv4.tcp_rfc1337` to 1.

    ## Why it matters
    A RST no longer ends TIME_WAIT. A client that reconnects from the same port with an old sequence number is answered
    by an ACK, sends a RST, and then waits up to 60 s, where it would have been served a second later.

    ## Evidence
    The value in the file.

    ## Confirm by hand
    `sysctl net.ipv4.tcp_rfc1337`.

    ## Remedy
    Delete the line: 0 is the default, and what the kernel's own document says of it is the wrong way round.

    ## When it is wrong
    Where somebody on the path forges RSTs against closed connections.

    ## References
    RFC 1337; Linux `net/ipv4/tcp_minisocks.c`, `tcp_timewait_state_process`.
    """

    code = "HO209"
    name = "rfc1337-set"
    severity = "notice"
    harm = "untidy"
    proof = "time-wait-limits"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that switches it on."""
        for document, item in context.settings(KEY):
            if item.number:
                yield self.on(
                    document,
                    item,
                    "a RST no longer ends TIME_WAIT: a reconnect from the same port may hang for up to 60 s",
                    "delete the line: 0 is the default",
                    want="0",
                )
