"""HO902: the earlier snapshot cannot be compared with the later one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context


class SnapshotsMisfit(Rule):
    """The two snapshots cannot be compared, and the earlier one was left out.

    ## What it finds
    Two snapshots of different machines, or with a reboot between them.

    ## Why it matters
    Counters begin at 0 with each boot: their difference would be nonsense. The later snapshot was judged alone, with
    counters since boot.

    ## Evidence
    Names, boot identifiers and times of the two.

    ## Confirm by hand
    `jq '.host | {name, boot_id}' FILE` for both.

    ## Remedy
    Take both within one boot of the same machine.

    ## When it is wrong
    A machine that was renamed in between.

    ## References
    random(4), boot_id; proc(5).
    """

    code = "HO902"
    name = "snapshots-misfit"
    severity = "notice"
    harm = "untidy"

    def check(self, context: Context) -> Iterator[Finding]:
        """At most one finding."""
        if context.misfit is None or not context.spaces:
            return
        yield self.finding(
            context.spaces[0].whole(),
            f"The earlier snapshot was left out: {context.misfit}.",
            (Evidence("boot", context.now.host.boot_id, None, "/proc/sys/kernel/random/boot_id"),),
            remedy=Remedy("Take both snapshots within one boot of the same machine."),
            confirm="jq '.host | {name, boot_id}'",
        )
