"""HO201: a file sets a key that this kernel does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import is_late
from halfopen.knowledge.sysctls import find
from halfopen.knowledge.sysctls.names import NAMES
from halfopen.knowledge.sysctls.secrets import is_secret
from halfopen.model.finding import Change, Evidence, Remedy
from halfopen.rules.files import file_settings
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctls import Sysctl
    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class KeyNotHere(Rule):
    """A file sets a key that this kernel does not have.

    ## What it finds
    A line of sysctl.d or sysctl.conf whose key is not there: removed from the kernel (`tcp_tw_recycle`, since 4.12),
    not yet in this one, or misspelt.

    ## Why it matters
    `sysctl -p` prints an error for it, applies the rest and exits with 1, which breaks scripts; systemd-sysctl leaves
    a line in the journal at most, and succeeds. In both cases what the line was meant for does not happen.

    ## Evidence
    The line, and the keys that the kernel has.

    ## Confirm by hand
    `sysctl KEY` says «cannot stat».

    ## Remedy
    Delete the line.

    ## When it is wrong
    A file that is shared with hosts of another kernel; or the key of a module that is loaded later.

    ## References
    sysctl(8); sysctl.d(5); Linux commit 4396e46187ca (tcp_tw_recycle).
    """

    code = "HO201"
    name = "key-not-on-this-kernel"
    severity = "notice"
    harm = "untidy"
    proof = "settings-in-files"
    needs = ("sysctls", "setting_files")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each key."""
        for space, key, outcome in file_settings(context):
            row, place = find(key), outcome.winner
            # A module's key comes with the module (HO214); secrets are left out of snapshots.
            if key in space.now.sysctls or is_late(key) or is_secret(key) or (row is not None and row.transient):
                continue
            yield self.finding(
                space.key(key),
                f"{place} sets a key that {_state(key, row)}, and so changes nothing.",
                (Evidence("the line", place.value, None, str(place)),),
                remedy=Remedy("Delete the line.", (Change("file", str(place), None, place.value),)),
                confirm=f"sysctl {key}",
                confidence="certain" if key in NAMES or row is not None else "likely",
            )


def _state(key: str, row: Sysctl | None) -> str:
    if row is not None and row.until is not None:
        return f"Linux {row.until} was the last to have"
    return "this kernel does not have" if row is not None or key in NAMES else "no kernel is known to have"
