"""HO206: tcp_tw_reuse where it does nothing, or less than is thought."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_tw_reuse"
TIMESTAMPS = "net.ipv4.tcp_timestamps"

_SERVER = re.compile(r"\bserver|\baccept|\bincoming|\binbound|\blisten", re.IGNORECASE)
_CLIENT = re.compile(r"\bclient|\boutgoing|\boutbound|\bproxy|\bproxies|\bupstream|\bconnect\(", re.IGNORECASE)


class TwReuseWithoutEffect(Check):
    """`tcp_tw_reuse` acts on outgoing connections only, and needs timestamps.

    ## What it finds
    Lines that set `net.ipv4.tcp_tw_reuse` to 1: a warning where the files switch timestamps off or the comment
    speaks of servers, nothing where it speaks of outgoing connections, a notice otherwise.

    ## Why it matters
    Only connect() looks at it: it may take a four-tuple that has been in TIME_WAIT for a second, if the old connection
    had timestamps. The TIME_WAIT of a server's accepted connections is never touched, and does not block clients.

    ## Evidence
    The value in the file, `tcp_timestamps` as the files leave it, the comment.

    ## Confirm by hand
    `nstat -az TcpExtTWRecycled` counts what it did.

    ## Remedy
    On a host that only serves, delete the line. On a client or proxy keep it, with timestamps on.

    ## When it is wrong
    The notice, on a host that opens many connections to few destinations.

    ## References
    Linux `net/ipv4/tcp_ipv4.c`, `tcp_twsk_unique`.
    """

    code = "HO206"
    name = "tw-reuse-without-effect"
    severity = "warning"
    harm = "untidy"
    proof = "tw-reuse"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that sets it to 1."""
        stamped = context.value(TIMESTAMPS) != 0
        for document, item in context.settings(KEY):
            if item.number != 1:
                continue
            if not stamped:
                yield self.on(
                    document, item, "it does nothing without timestamps, which the files switch off",
                    "set net.ipv4.tcp_timestamps = 1",
                )  # fmt: skip
                continue
            serves = _SERVER.search(item.comment)
            if not serves and _CLIENT.search(item.comment):
                continue
            yield self.on(
                document,
                item,
                "it acts on outgoing connections only: the TIME_WAIT of accepted connections stays, and blocks nobody",
                "keep it on clients and proxies, delete it on servers",
                severity="warning" if serves else "notice",
            )
