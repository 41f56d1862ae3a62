"""HO224: a read-only or transient key in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import find
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class KeyNotToBeWritten(Check):
    """Some keys can only be read, and some only trigger something.

    ## What it finds
    Read-only keys (`tcp_available_congestion_control`, `nf_conntrack_count`, `tcp_ehash_entries`) and triggers
    (`route.flush`) in a file.

    ## Why it matters
    They come into files from `sysctl -a > backup`. Writing them fails, even for root, or triggers something at every
    boot. `sysctl -p` says so, and exits with 0 all the same (procps 4.0.2; not in the experiment, which writes to the
    kernel's files itself).

    ## Evidence
    The key.

    ## Confirm by hand
    `ls -l /proc/sys/net/ipv4/tcp_available_congestion_control`: no w.

    ## Remedy
    Delete the line. Keep only the keys that you change.

    ## When it is wrong
    Never.

    ## References
    sysctl(8); Linux 6.18, procps 4.0.2, measured.
    """

    code = "HO224"
    name = "key-not-to-be-written"
    severity = "warning"
    harm = "untidy"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings():
            row = find(item.key)
            if row is not None and (row.read_only or row.transient) and document.kind == "sysctl":
                yield self.on(
                    document,
                    item,
                    "the key is read-only: writing it fails"
                    if row.read_only
                    else "the key triggers something and holds no value",
                    "delete the line",
                )
