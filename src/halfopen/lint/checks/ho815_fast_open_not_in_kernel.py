"""HO815: a program asks for Fast Open, and the kernel's setting forbids it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_fastopen"
SERVER = 0x2


class FastOpenNotInKernel(Check):
    """A listener that asks for Fast Open gets none without the server bit of `tcp_fastopen`.

    ## What it finds
    Fast Open in the configuration of a program, while the sysctl files of the same run leave `net.ipv4.tcp_fastopen`
    without the server bit (2). A notice where no file sets it: the default is 1, client only.

    ## Why it matters
    The option is accepted, and nothing comes of it: clients ask for a cookie and get none.

    ## Evidence
    The option, the bits.

    ## Confirm by hand
    `nstat -az TcpExtTCPFastOpenCookieReqd TcpExtTCPFastOpenPassive`.

    ## Remedy
    Set `net.ipv4.tcp_fastopen = 3` as well.

    ## When it is wrong
    When a file that was not given sets it.

    ## References
    Documentation/networking/ip-sysctl.rst.
    """

    code = "HO815"
    name = "fast-open-not-in-kernel"
    severity = "warning"
    harm = "untidy"
    proof = "fast-open"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        bits = context.value(KEY) or 0
        for document, listener in context.listeners():
            if listener.fast_open and not bits & SERVER:
                yield self.at(
                    document,
                    (listener.line, listener.column),
                    listener.name,
                    f"net.ipv4.tcp_fastopen is {bits}, without the server bit (2): this listener gets no Fast Open",
                    "set net.ipv4.tcp_fastopen = 3 as well",
                    kind="listener",
                    severity=None if context.sets(KEY) else "notice",
                )
