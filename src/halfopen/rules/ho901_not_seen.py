"""HO901: something could not be seen, and rules stayed silent for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Subject
from halfopen.model.quantity import listed
from halfopen.rules.coverage import lacking, words
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.rule import Need
    from halfopen.rules.space import Space

CONFIRM = "halfopen snapshot | jq .unavailable"
REASONS = 3
"""Gaps that are told as evidence; all of them stand below the findings."""


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
        if not context.spaces:
            yield self._nothing(context)
        troubles: dict[tuple[Need, ...], list[Space]] = {}
        for space in context.spaces:
            if missing := lacking(space):
                troubles.setdefault(missing, []).append(space)
        for missing, spaces in troubles.items():
            its = "Its" if len(spaces) == 1 else "Their"
            cause = f"{its} {words(missing)} could not be read: rules that need them stayed silent."
            why = _why(context, {space.name for space in spaces}) or [
                Evidence("missing", ", ".join(missing), None, "snapshot")
            ]
            yield self.finding(_subject(spaces), cause, why, confirm=CONFIRM)

    def _nothing(self, context: Context) -> Finding:
        why = _why(context, set()) or [Evidence("network namespaces", 0, None, "snapshot")]
        subject = Subject("host", context.now.host.name)
        return self.finding(
            subject, "No network namespace could be read: every rule stayed silent.", why, confirm=CONFIRM
        )


def _why(context: Context, names: set[str]) -> list[Evidence]:
    """What the collectors say of these namespaces, then what they say of the host."""
    gaps = [gap for gap in context.now.unavailable if gap.netns is None or gap.netns in names]
    gaps.sort(key=lambda gap: gap.netns is None)
    return [Evidence(gap.what, f"not available because {gap.why}", None, "snapshot") for gap in gaps[:REASONS]]


def _subject(spaces: Sequence[Space]) -> Subject:
    if len(spaces) == 1:
        return spaces[0].whole()
    return Subject("host", f"network namespaces {listed([space.name for space in spaces])}")
