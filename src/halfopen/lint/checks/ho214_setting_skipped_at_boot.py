"""HO214: a key that appears only with a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import is_late
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class SettingSkippedAtBoot(Check):
    """A key of a module that is not loaded yet is skipped at boot.

    ## What it finds
    Lines of sysctl files for `net.netfilter.*`, `net.nf_conntrack_max` and `net.bridge.*`.

    ## Why it matters
    These keys appear when nf_conntrack or br_netfilter is loaded. systemd-sysctl runs early, finds no such key, says
    so at debug level only, and succeeds. The value holds after `sysctl -p`, and is gone after the next boot.

    ## Evidence
    The key.

    ## Confirm by hand
    After a boot: `sysctl net.netfilter.nf_conntrack_max`.

    ## Remedy
    Load the module first: name it in a file of /etc/modules-load.d, which is read before.

    ## When it is wrong
    When the module is compiled in, or already named there.

    ## References
    sysctl.d(5).
    """

    code = "HO214"
    name = "setting-skipped-at-boot"
    severity = "notice"
    harm = "risk"
    proof = "settings-in-files"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings():
            if document.kind == "sysctl" and is_late(item.key):
                module = "br_netfilter" if item.key.startswith("net.bridge.") else "nf_conntrack"
                yield self.on(
                    document,
                    item,
                    f"at boot the key exists only if {module} is loaded by then; it is skipped in silence otherwise",
                    f"name {module} in a file of /etc/modules-load.d",
                )
