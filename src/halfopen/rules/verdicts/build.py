"""From a kind and its sentence to the verdict: with what speaks for it, what to do, and what would falsify it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.verdict import Verdict
from halfopen.rules.verdicts.words import CAPTURE, FALSIFIED, MEASURE, OWN_LOST, STEPS, WHERE_LOST, local_evidence

if TYPE_CHECKING:
    from halfopen.model.probe import ProbeResult
    from halfopen.model.verdict import VerdictKind
    from halfopen.rules.verdicts.facts import Facts


def verdict(
    facts: Facts,
    kind: VerdictKind,
    sentence: str,
    more: tuple[str, ...] = (),
    *,
    general: tuple[str, ...] | None = None,
    falsified: str | None = None,
) -> Verdict:
    """The verdict with what else is known; ``general`` and ``falsified`` stand in for the words of its kind."""
    accused = [cause for cause in facts.causes if cause.verdict == "cause"]
    steps = tuple(cause.remedy.summary for cause in accused if cause.remedy is not None) + more
    if general is None:
        # Where this host is at fault, nobody else has to be asked.
        general = () if accused and kind in {"unreachable", "slow_syn", "not_sent", "refused"} else STEPS[kind]
    steps += general
    blamed = accused and kind not in {"healthy", "accept_starvation"}
    return Verdict(
        kind,
        f"{sentence} {accused[0].sentence}" if blamed else sentence,
        (*local_evidence(facts.listening, facts.drops, facts.place, own=facts.own), *facts.answers),
        FALSIFIED[kind] if falsified is None else falsified,
        (MEASURE.format(target=facts.target), *steps) if kind == "healthy" else steps,
    )


def where_lost(facts: Facts) -> tuple[str, ...]:
    """What tells who lost it: this host, the way, or the server."""
    if any(cause.verdict == "cause" for cause in facts.causes):
        return ()
    if not facts.own:
        return WHERE_LOST, CAPTURE
    return (OWN_LOST.format(place="this host" if facts.place is None else f"network namespace {facts.place}"),)


def ending(result: ProbeResult) -> str:
    """How a connect ended: ``unreachable (EHOSTUNREACH)``."""
    errno = result.handshake.errno
    return result.ending.replace("_", " ") + (f" ({errno})" if errno else "")
