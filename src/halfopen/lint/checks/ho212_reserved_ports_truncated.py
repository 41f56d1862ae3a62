"""HO212: a list of reserved ports that the kernel cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.ip_local_reserved_ports"
BYTES_MAX = 4095


class ReservedPortsTruncated(Check):
    """A list of reserved ports longer than 4095 bytes is cut in silence.

    ## What it finds
    `net.ipv4.ip_local_reserved_ports` with a value longer than 4095 bytes.

    ## Why it matters
    The kernel stores what fits and reports success: of 5000 single ports, 29 KB, it kept 682. The ports behind them
    are not reserved.

    ## Evidence
    The length of the value.

    ## Confirm by hand
    `sysctl net.ipv4.ip_local_reserved_ports | wc -c` after writing.

    ## Remedy
    Write ranges (`8000-8100`) instead of single ports, and read the value back.

    ## When it is wrong
    Never, on kernels that are known; a later one may take longer lists.

    ## References
    Linux `kernel/sysctl.c`, `proc_do_large_bitmap`.
    """

    code = "HO212"
    name = "reserved-ports-truncated"
    severity = "warning"
    harm = "risk"
    proof = "settings-in-files"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings(KEY):
            length = len((item.value or "").encode(errors="replace"))
            if length > BYTES_MAX:
                yield self.on(
                    document,
                    item,
                    f"the value has {length} bytes: the kernel keeps the first {BYTES_MAX} and reports no error",
                    "write ranges (8000-8100) instead of single ports",
                )
