"""HO226: tcp_rmem or tcp_wmem whose three numbers do not rise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class BuffersOutOfOrder(Check):
    """The three numbers of `tcp_rmem` and `tcp_wmem` must rise, and the kernel does not check.

    ## What it finds
    `net.ipv4.tcp_rmem` and `tcp_wmem` with three numbers that do not rise.

    ## Why it matters
    They are the least, the first and the largest buffer in bytes. The kernel stores `8192 4096 2048` without a word,
    and connections begin with windows that nobody meant.

    ## Evidence
    The three numbers.

    ## Confirm by hand
    `sysctl net.ipv4.tcp_rmem`.

    ## Remedy
    Write them from small to large.

    ## When it is wrong
    Never.

    ## References
    Linux 6.18, measured.
    """

    code = "HO226"
    name = "buffers-out-of-order"
    severity = "warning"
    harm = "risk"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings("net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"):
            if item.numbers and len(item.numbers) == 3 and list(item.numbers) != sorted(item.numbers):
                yield self.on(
                    document,
                    item,
                    "least, first and largest buffer do not rise: the kernel stores them all the same",
                    "write the three from small to large",
                    want=" ".join(map(str, sorted(item.numbers))),
                )
