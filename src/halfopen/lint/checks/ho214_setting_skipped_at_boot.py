"""HO214: a key that appears only with a module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import is_late
from halfopen.knowledge.sysctls import find
from halfopen.knowledge.sysctls.gone import gone
from halfopen.lint.check import Check
from halfopen.model.quantity import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctl_text import Assignment
    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class SettingSkippedAtBoot(Check):
    """A key of a module that is not loaded yet is skipped at boot.

    ## What it finds
    Lines of sysctl files for `net.netfilter.*`, `net.nf_conntrack_max` and `net.bridge.*`; one finding for each module.

    ## Why it matters
    These keys appear when nf_conntrack or br_netfilter is loaded. systemd-sysctl runs early, finds no such key, leaves
    a line in the journal at most, and succeeds. The value holds after `sysctl -p`, and is gone after the next boot.

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
        """One finding for each module, at the first of its lines."""
        for document in context.documents:
            late: dict[str, list[Assignment]] = {}
            for item in document.settings if document.kind == "sysctl" else ():
                if item.value is not None and is_late(item.key) and gone(item.key) is None and not _cannot_be_set(item):
                    late.setdefault(_module(item.key), []).append(item)
            for module, (first, *others) in late.items():
                them = f", like {_those(others)}," if others else ""
                skipped = "they are skipped" if others else "it is skipped"
                yield self.on(
                    document,
                    first,
                    f"at boot the key{them} exists only if {module} is loaded by then; otherwise {skipped}",
                    f"name {module} in a file of /etc/modules-load.d",
                )


def _module(key: str) -> str:
    return "br_netfilter" if key.startswith("net.bridge.") else "nf_conntrack"


def _cannot_be_set(item: Assignment) -> bool:
    row = find(item.key)
    return row is not None and row.read_only


_SHOWN = 5


def _those(items: list[Assignment]) -> str:
    lines = [str(item.line) for item in items]
    return f"that of line {lines[0]}" if len(lines) == 1 else f"those of lines {listed(lines, most=_SHOWN)}"
