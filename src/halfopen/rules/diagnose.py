"""Run the rules over one or two snapshots, merge what has one cause, and put the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.diagnosis import Diagnosis
from halfopen.rules.alike import joined
from halfopen.rules.context import Context
from halfopen.rules.coverage import is_examined, looked_at, unseen
from halfopen.rules.merge import merged, ranked
from halfopen.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from halfopen.model.snapshot import Snapshot
    from halfopen.rules.rule import Rule


def diagnose(now: Snapshot, before: Snapshot | None = None, *, rules: Sequence[Rule] = RULES) -> Diagnosis:
    """What is wrong with connections on the host that ``now`` shows.

    Args:
        now: the snapshot to judge.
        before: an earlier one of the same boot. With it rules judge what happened in between, without it counters since
            boot are judged with care.
        rules: those to run.

    Returns:
        Findings, ranked by harm and merged by cause, and what could not be seen.

    Example:
        >>> import halfopen
        >>> here = halfopen.diagnose(halfopen.snapshot(netns="own"))
        >>> {finding.severity for finding in here.findings} <= {"critical", "warning", "notice"}
        True
    """
    context = Context.of(now, before)
    found = [finding for rule in rules for finding in rule.check(context)]
    seen = [space.sockets for space in now.netns if space.sockets is not None]
    return Diagnosis(
        host=now.host.name,
        kernel=now.host.kernel,
        taken_at_ns=now.taken_at_ns,
        interval_s=context.interval_s,
        uptime_s=now.host.uptime_s,
        findings=tuple(ranked(joined(merged(found, rules)))),
        unavailable=now.unavailable,
        namespaces=looked_at(context),
        listeners=sum(len(sockets.listeners) for sockets in seen) if seen else None,
        sockets=sum(sum(sockets.states.values()) for sockets in seen) if seen else None,
        examined=is_examined(context),
        unseen=unseen(context),
    )
