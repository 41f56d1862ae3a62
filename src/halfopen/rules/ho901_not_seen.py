"""HO901: something could not be seen, and rules stayed silent for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.model.quantity import listed
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.model.snapshot import NetNamespace
    from halfopen.rules.context import Context
    from halfopen.rules.rule import Need

#: Namespaces that are named; of the rest the number is in the list of what is not available.
NAMED_MAX = 5


class NotSeen(Rule):
    """Something could not be seen, and rules that need it stayed silent.

    ## What it finds
    A namespace of which sockets, counters, settings or the packet filter could not be read.

    ## Why it matters
    That nothing was found there does not mean that nothing is wrong.

    ## Evidence
    What is missing, and why, in the list «not available» below the findings.

    ## Confirm by hand
    `halfopen snapshot | jq .unavailable`.

    ## Remedy
    Run it as root, or with CAP_NET_ADMIN, CAP_SYS_PTRACE and CAP_SYS_ADMIN for other processes' namespaces.

    ## When it is wrong
    Where that part does not matter.

    ## References
    capabilities(7).
    """

    code = "HO901"
    name = "not-seen"
    severity = "notice"
    harm = "untidy"

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace with a gap, up to a limit."""
        gaps = [(space, missing) for space in context.spaces if (missing := _missing(space.now))]
        for space, missing in gaps[:NAMED_MAX]:
            why = [gap for gap in context.now.unavailable if gap.netns in {None, space.name}]
            yield self.finding(
                space.whole(),
                f"Its {listed([part.replace('_', ' ') for part in missing], 4)} could not be read: rules that need "
                "them stayed silent.",
                [Evidence(gap.what, f"not available because {gap.why}", None, "snapshot") for gap in why[:3]]
                or [Evidence("missing", ", ".join(missing), None, "snapshot")],
                confirm="halfopen snapshot | jq .unavailable",
            )


def _missing(namespace: NetNamespace) -> list[Need]:
    """Parts that every kernel has. No packet filter, and no connection tracking, may simply not be there."""
    missing: list[Need] = []
    if namespace.sockets is None:
        missing.append("sockets")
    if not namespace.counters:
        missing.append("counters")
    if not namespace.sysctls:
        missing.append("sysctls")
    return missing
