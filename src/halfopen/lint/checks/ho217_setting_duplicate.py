"""HO217: a key that one file sets twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_text import Assignment, folded
from halfopen.knowledge.sysctls.secrets import is_secret
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class SettingDuplicate(Check):
    """The same file sets the same key twice.

    ## What it finds
    Two lines of one file for one key, spelled with dots or slashes; two commands of a script that set it one after the
    other, in the same branch and in the same place (the kernel, or one file). It is a notice in scripts, and where both
    set the same value.

    ## Why it matters
    The last line wins. Whoever edits the first one changes nothing, and looks for the reason elsewhere.

    ## Evidence
    Both lines.

    ## Confirm by hand
    `grep -n KEY FILE`.

    ## Remedy
    Delete the line that does not count.

    ## When it is wrong
    In scripts that set a key for a while and set it back.

    ## References
    sysctl.d(5).
    """

    code = "HO217"
    name = "setting-duplicate"
    severity = "warning"
    harm = "untidy"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document in context.documents:
            last: dict[tuple[str, str], Assignment] = {}
            for item in reversed(document.settings):
                if item.value is None or not item.key.startswith("net."):
                    continue
                winner = last.setdefault((item.into, item.key), item)
                if winner is not item:
                    same = folded(winner.value or "") == folded(item.value)
                    yield self.on(
                        document,
                        item,
                        f"line {winner.line} sets it again" + _to(winner, same=same),
                        "delete this line",
                        severity="notice" if same or document.kind == "shell" else None,
                    )


def _to(winner: Assignment, *, same: bool) -> str:
    if same:
        return " to the same value"
    return " to another value" if is_secret(winner.key) else f" to {winner.value}"
