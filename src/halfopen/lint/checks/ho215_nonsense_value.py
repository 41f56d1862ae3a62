"""HO215: a value that the kernel accepts and that means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import INT_MAX, accepted, find
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctls import Sysctl
    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


BYTE = (0, 255)
"""What fits where the kernel keeps the number: the bounds of a type, and no meaning."""
#: Checks of their own say more of these; -1 of tcp_max_tw_buckets is no limit.
OTHERS = frozenset({"net.ipv4.tcp_max_tw_buckets", "net.ipv4.tcp_rfc1337", "net.ipv4.tcp_abort_on_overflow"})


class NonsenseValue(Check):
    """The kernel accepts values that mean nothing.

    ## What it finds
    Values outside of what a key means, though the kernel stores them: `tcp_syncookies = 255`, `tcp_max_syn_backlog =
    -1`, `tcp_timestamps = 3`, `somaxconn = 0`, a `tcp_fin_timeout` of days.

    ## Why it matters
    No error is printed, and the setting then does something that nobody wrote down.

    ## Evidence
    The value, and the values that have a meaning.

    ## Confirm by hand
    `sysctl KEY` shows that it was stored.

    ## Remedy
    Write one of the values that have a meaning.

    ## When it is wrong
    A later kernel may give a meaning to more values.

    ## References
    Linux 6.18, measured.
    """

    code = "HO215"
    name = "nonsense-value"
    severity = "warning"
    harm = "risk"
    proof = "nonsense-values"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        version = context.kernel.version
        for document, item in context.settings():
            row = find(item.key)
            if context.kernel.lacks(item.key) or row is None or row.key in OTHERS or item.numbers is None:
                continue
            sensible = _sensible(row)
            if sensible is None or not accepted(row, item.numbers, version):
                continue
            low, high = sensible
            if any(not low <= number <= high for number in item.numbers):
                meaning = f"{low} to {high}" if high < INT_MAX else f"{low} and more"
                yield self.on(
                    document,
                    item,
                    f"the kernel accepts {item.value} without a word, but only {meaning} means something",
                    f"write a value of {meaning}",
                )


def _sensible(row: Sysctl) -> tuple[int, int] | None:
    """The numbers with a meaning; those that a later kernel holds its users to, where an older one takes any."""
    return row.sensible or (row.accepts if row.bounded_since is not None and row.accepts != BYTE else None)
