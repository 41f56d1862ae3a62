"""HO228: an obsolete key that does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.kernel_version import KernelVersion
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

SINCE = {"net.ipv4.tcp_low_latency": KernelVersion(4, 14), "net.ipv4.tcp_fack": KernelVersion(4, 15)}
"""The first kernel on which the key does nothing."""


class KeyWithoutEffect(Check):
    """The key exists so that old files do not fail, and does nothing.

    ## What it finds
    `net.ipv4.tcp_low_latency` (without effect since Linux 4.14) and `net.ipv4.tcp_fack` (since 4.15).

    ## Why it matters
    It is kept for compatibility. Whoever sets it expects something that will not happen. That nothing reads it is what
    the kernel's documentation and commits say; the experiment shows that writing it is no error and changes no other
    setting of TCP.

    ## Evidence
    The key.

    ## Confirm by hand
    Documentation/networking/ip-sysctl.rst calls it a legacy option that has no effect any more.

    ## Remedy
    Delete the line.

    ## When it is wrong
    Where the file is also for older kernels.

    ## References
    Documentation/networking/ip-sysctl.rst; Linux commits e7942d0633c4, 713bafea9292.
    """

    code = "HO228"
    name = "key-without-effect"
    severity = "notice"
    harm = "untidy"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings(*SINCE):
            since = SINCE[item.key]
            if context.kernel.version >= since:
                yield self.on(document, item, f"the key does nothing since Linux {since}", "delete the line")
