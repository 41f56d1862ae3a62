"""HO227: tcp_mem as if it were bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_mem"
BUFFERS = ("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")
PAGES_MAX = 2**28
PAGE_BYTES = 4096


class TcpMemInBytes(Check):
    """`tcp_mem` counts pages, not bytes.

    ## What it finds
    `net.ipv4.tcp_mem` with a high mark of more than 2^28 pages (1 TB), or with the numbers of `tcp_rmem` in the same
    file.

    ## Why it matters
    The three numbers are in pages of 4096 bytes. Written in bytes, the limit is 4096 times too high and does not
    protect the host from TCP's memory.

    ## Evidence
    The value, in bytes as the kernel takes it.

    ## Confirm by hand
    `cat /proc/net/sockstat`: mem is in pages too.

    ## Remedy
    Delete the line: the kernel sizes it by its memory.

    ## When it is wrong
    On a machine with terabytes of memory.

    ## References
    Documentation/networking/ip-sysctl.rst.
    """

    code = "HO227"
    name = "tcp-mem-in-bytes"
    severity = "warning"
    harm = "risk"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        buffers = {item.numbers for name in BUFFERS for _, item in context.settings(name)}
        for document, item in context.settings(KEY):
            if not item.numbers or len(item.numbers) != 3:
                continue
            if item.numbers[2] > PAGES_MAX or item.numbers in buffers:
                size = item.numbers[2] * PAGE_BYTES / 2**30
                yield self.on(
                    document,
                    item,
                    f"the numbers are pages of 4096 bytes, not bytes: the last one is {size:.0f} GB",
                    "delete the line: the kernel sizes it by its memory",
                )
