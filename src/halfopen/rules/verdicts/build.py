"""From a kind and its sentence to the verdict: with what speaks for it, what to do, and what would falsify it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.remedy_steps import remedy_steps
from halfopen.model.verdict import SEVERITIES, Verdict
from halfopen.rules.verdicts.evidence import evidence
from halfopen.rules.verdicts.words import (
    AS_ROOT,
    CAPTURE,
    CAPTURE_TELLS,
    EMPTY,
    FALSIFIED,
    FALSIFIED_BY_CAUSE,
    MEASURE,
    OWN_LOST,
    PERHAPS,
    SENT_ON,
    STEPS,
    STILL,
    TRY,
    WHERE_LOST,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.cause import LocalCause
    from halfopen.model.finding import Finding, Remedy, Severity
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
    severity: Severity | None = None,
) -> Verdict:
    """The verdict with what else is known; ``general``, ``falsified``, ``severity`` stand in for those of its kind."""
    if kind == "healthy":
        steps = [MEASURE.format(target=facts.target)]
        return Verdict(kind, sentence, evidence(facts), None, FALSIFIED[kind], tuple(steps))
    blamed = facts.accused
    first = blamed[0] if blamed else None
    # Where this host is at fault, nobody else has to be asked.
    steps = [*_remedies(blamed)] or [
        *_suspicions(facts, kind),
        *more,
        *(_general(facts, kind) if general is None else general),
    ]
    return Verdict(
        kind,
        sentence if first is None else f"{sentence} {first.sentence}",
        evidence(facts),
        severity or SEVERITIES[kind],
        _falsified(first, FALSIFIED[kind] if falsified is None else falsified),
        tuple(dict.fromkeys(steps)),
        check=None if first is None else first.confirm,
        told=tuple(cause.rule for cause in blamed if cause.rule is not None),
    )


def _general(facts: Facts, kind: VerdictKind) -> tuple[str, ...]:
    address = facts.results[0].handshake.server if facts.results else facts.target.host
    return tuple(step.replace("ADDRESS", address) for step in STEPS[kind])


def told(facts: Facts, kind: VerdictKind, finding: Finding, sentence: str = "") -> Verdict:
    """What a finding about the target's listener says, as the verdict on it."""
    steps = () if finding.remedy is None else tuple(remedy_steps(finding.remedy))
    return Verdict(
        kind,
        f"{sentence} {finding.cause}".lstrip(),
        evidence(facts, blamed=True),
        SEVERITIES[kind],
        (EMPTY if finding.code in QUEUE else STILL).format(check=finding.confirm),
        steps,
        check=finding.confirm,
        told=(finding.code,),
    )


#: Rules about an accept queue.
QUEUE = ("HO101", "HO103", "HO104")


def _remedies(blamed: list[LocalCause]) -> Iterator[str]:
    for cause in blamed:
        if cause.remedy is not None:
            yield from remedy_steps(cause.remedy)


def _suspicions(facts: Facts, kind: VerdictKind) -> Iterator[str]:
    """What may be at fault on this host is looked at before anybody else is asked."""
    for cause in facts.suspects:
        if cause.remedy is not None:
            yield PERHAPS.format(sentence=cause.sentence, step=_trial(facts, cause, cause.remedy))
    # A RST or an ICMP error says who sent it, and that is seldom this host.
    unread = any(cause.kind == "filter" and cause.verdict == "unknown" for cause in facts.causes)
    if unread and kind not in {"refused", "unreachable"}:
        yield AS_ROOT.format(target=facts.target)
    if facts.sent_on is not None and facts.sent_on.confirm is not None:
        yield SENT_ON.format(command=facts.sent_on.confirm)


def _trial(facts: Facts, cause: LocalCause, remedy: Remedy) -> str:
    """What tells whether it is that: a capture, where one can; else the remedy itself."""
    if facts.packets is None and cause.netns is None and cause.stops in {"syn_out", "answer"}:
        return CAPTURE_TELLS.format(target=facts.target)
    return TRY.format(remedy=" ".join(remedy_steps(remedy)))


def _falsified(cause: LocalCause | None, general: str) -> str:
    if cause is None:
        return general
    return FALSIFIED_BY_CAUSE.get(cause.kind, general).format(check=cause.confirm)


def where_lost(facts: Facts) -> tuple[str, ...]:
    """What tells who lost it: this host, the way, or the server."""
    if facts.sent_on is not None:
        return ()
    if not facts.own:
        return WHERE_LOST, CAPTURE
    look = f"tcpdump -ni any tcp port {facts.target.port}"
    return (OWN_LOST.format(place=facts.where, command=look if facts.there is None else facts.there.command(look)),)


def ending(result: ProbeResult) -> str:
    """How a connect ended: ``unreachable (EHOSTUNREACH)``."""
    errno = result.handshake.errno
    return result.ending.replace("_", " ") + (f" ({errno})" if errno else "")
