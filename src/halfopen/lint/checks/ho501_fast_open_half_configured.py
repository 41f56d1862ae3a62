"""HO501: tcp_fastopen alone enables nothing on servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_fastopen"
SERVER, WITHOUT_COOKIE, ALL = 0x2, 0x200, 0x400


class FastOpenHalfConfigured(Check):
    """`tcp_fastopen = 3` enables nothing on a server by itself.

    ## What it finds
    `net.ipv4.tcp_fastopen` with the server bit (2) but without 0x400, while no configuration in the same run asks for
    Fast Open; bits that need the server bit without it.

    ## Why it matters
    A listener does Fast Open only when its program asks for it (TCP_FASTOPEN: `fastopen=` in nginx, `tfo` in HAProxy,
    `FastOpen=` in systemd), or with 0x400 for listeners that are opened later. A client does it only with
    MSG_FASTOPEN or TCP_FASTOPEN_CONNECT.

    ## Evidence
    The bits of the value.

    ## Confirm by hand
    `nstat -az TcpExtTCPFastOpenPassive` stays 0.

    ## Remedy
    Configure it in the program. If nothing asks for it, delete the line: 1 is the default.

    ## When it is wrong
    When a program of this host asks for it and its configuration was not given.

    ## References
    Documentation/networking/ip-sysctl.rst.
    """

    code = "HO501"
    name = "fast-open-half-configured"
    severity = "warning"
    harm = "untidy"
    proof = "fast-open"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        asked = any(listener.fast_open for _, listener in context.listeners())
        for document, item in context.settings(KEY):
            bits = item.number or 0
            if bits < 0:
                continue
            if bits & (ALL | WITHOUT_COOKIE) and not bits & SERVER:
                yield self.on(
                    document, item, "0x200 and 0x400 do nothing without the server bit, 2", f"write {bits | SERVER:#x}",
                    want=hex(bits | SERVER),
                )  # fmt: skip
            elif bits & SERVER and not bits & ALL and not asked:
                yield self.on(
                    document,
                    item,
                    "alone it enables nothing on a server: each listener must ask for Fast Open too (TCP_FASTOPEN)",
                    "configure it in the program (nginx: fastopen=256), or delete the line",
                )
