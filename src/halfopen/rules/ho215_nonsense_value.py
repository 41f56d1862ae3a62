"""HO215: a setting has a value that means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import ROWS
from halfopen.model.finding import Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctls import Sysctl
    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: Rules of their own say more of these.
OTHERS = frozenset(
    {"net.core.somaxconn", "net.ipv4.tcp_max_tw_buckets", "net.ipv4.tcp_rfc1337", "net.ipv4.tcp_abort_on_overflow"}
)


class NonsenseValue(Rule):
    """A setting has a value that the kernel accepts and that means nothing.

    ## What it finds
    `tcp_syncookies=255`, `tcp_fin_timeout=-1`, `tcp_timestamps=3` and the like: outside of what the setting is defined
    for.

    ## Why it matters
    The kernel checks few of its settings. A slip of the pen is stored without an error and does something else than was
    meant, or nothing.

    ## Evidence
    The running value, and the values that have a meaning.

    ## Confirm by hand
    `sysctl KEY`.

    ## Remedy
    Set what was meant; the default where that is not known.

    ## When it is wrong
    A kernel that gave the value a meaning after this program was written.

    ## References
    Documentation/networking/ip-sysctl.rst; Linux `net/ipv4/sysctl_net_ipv4.c`.
    """

    code = "HO215"
    name = "nonsense-value"
    severity = "notice"
    harm = "risk"
    proof = "nonsense-values"
    needs = ("sysctls",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each key of each namespace."""
        for space in context.spaces:
            for row in ROWS:
                if row.sensible is not None and row.key not in OTHERS and "*" not in row.key:
                    yield from self._at(space, row, row.sensible)

    def _at(self, space: Space, row: Sysctl, sensible: tuple[int, int]) -> Iterator[Finding]:
        value = space.sysctl(row.key)
        if value is None or sensible[0] <= value <= sensible[1]:
            return
        changes = () if row.default is None else (space.change(row.key, row.default),)
        yield self.finding(
            space.key(row.key),
            f"{value} means nothing here: values from {sensible[0]} to {sensible[1]} do.",
            (space.setting(row.key),),
            remedy=Remedy("Set what was meant, or the default.", changes),
            confirm=space.command(f"sysctl {row.key}"),
        )
