"""HO228: an obsolete key that does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_low_latency"


class KeyWithoutEffect(Check):
    """The key exists so that old files do not fail, and does nothing.

    ## What it finds
    `net.ipv4.tcp_low_latency`.

    ## Why it matters
    It is kept for compatibility. Whoever sets it expects something that will not happen.

    ## Evidence
    The key.

    ## Confirm by hand
    Documentation/networking/ip-sysctl.rst calls it obsolete.

    ## Remedy
    Delete the line.

    ## When it is wrong
    On kernels of before 2018, where it still did something.

    ## References
    Documentation/networking/ip-sysctl.rst.
    """

    code = "HO228"
    name = "key-without-effect"
    severity = "notice"
    harm = "untidy"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings(KEY):
            yield self.on(document, item, "the key is obsolete and does nothing", "delete the line")
