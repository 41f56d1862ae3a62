"""HO901: something could not be seen, and rules stayed silent for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Subject
from halfopen.model.quantity import listed
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.model.finding import Finding
    from halfopen.model.snapshot import NetNamespace
    from halfopen.rules.context import Context
    from halfopen.rules.rule import Need
    from halfopen.rules.space import Space


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
        """One finding for each trouble, however many namespaces have it."""
        troubles: dict[tuple[Need, ...], list[Space]] = {}
        for space in context.spaces:
            if missing := _missing(space.now):
                troubles.setdefault(missing, []).append(space)
        for missing, spaces in troubles.items():
            names = {space.name for space in spaces}
            why = [gap for gap in context.now.unavailable if gap.netns is None or gap.netns in names]
            its = "Its" if len(spaces) == 1 else "Their"
            yield self.finding(
                _subject(spaces),
                f"{its} {listed([part.replace('_', ' ') for part in missing], 4)} could not be read: rules that need "
                "them stayed silent.",
                [Evidence(gap.what, f"not available because {gap.why}", None, "snapshot") for gap in why[:3]]
                or [Evidence("missing", ", ".join(missing), None, "snapshot")],
                confirm="halfopen snapshot | jq .unavailable",
            )


def _subject(spaces: Sequence[Space]) -> Subject:
    if len(spaces) == 1:
        return spaces[0].whole()
    return Subject("host", f"network namespaces {listed([space.name for space in spaces])}")


def _missing(namespace: NetNamespace) -> tuple[Need, ...]:
    """Parts that every kernel has. No packet filter, and no connection tracking, may simply not be there."""
    missing: list[Need] = []
    if namespace.sockets is None:
        missing.append("sockets")
    if not namespace.counters:
        missing.append("counters")
    if not namespace.sysctls:
        missing.append("sysctls")
    return tuple(missing)
