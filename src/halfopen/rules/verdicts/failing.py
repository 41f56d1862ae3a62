"""Verdicts on connects that failed: all of them, or some."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.model.quantity import endpoint, grouped, listed, plural
from halfopen.model.remedy_steps import remedy_steps
from halfopen.rules.routing import address_of
from halfopen.rules.verdicts.build import ending, verdict, where_lost
from halfopen.rules.verdicts.refusing import refused
from halfopen.rules.verdicts.unreachable import unreachable
from halfopen.rules.verdicts.words import (
    CAME_IN,
    CONNECTS,
    FORBIDDEN,
    LEAVES,
    LINK_LOCAL,
    NOT_ON_THE_WIRE,
    NOT_SENT,
    SEVERAL,
)

if TYPE_CHECKING:
    from halfopen.model.finding import Severity
    from halfopen.model.probe import ProbeResult
    from halfopen.model.verdict import Verdict
    from halfopen.rules.verdicts.facts import Facts


def mixed(facts: Facts) -> Verdict:
    """Some were established."""
    endings = ", ".join(dict.fromkeys(ending(result) for result in facts.failed))
    works = list(dict.fromkeys(result.handshake.server for result in facts.established))
    broken = list(dict.fromkeys(result.handshake.server for result in facts.failed))
    if not set(works) & set(broken):
        return _one_address(facts, works, broken, endings)
    sentence = (
        f"{grouped(len(facts.established))} of {plural(len(facts.results), 'connect')} were established, the others "
        f"not: {endings}."
    )
    return verdict(facts, "mixed", sentence, where_lost(facts))


def _one_address(facts: Facts, works: list[str], broken: list[str], endings: str) -> Verdict:
    """Each address ends in one way: it is the address, and nothing that comes and goes."""
    do = "do" if len(broken) > 1 else "does"
    sentence = f"Connects to {listed(works)} are established, those to {listed(broken)} are not: {endings}."
    again = endpoint(broken[0], facts.target.port)
    step = f"Find out why {listed(broken)} {do} not answer: `halfopen doctor {again}`."
    instead = f"Until then take {'them' if len(broken) > 1 else 'it'} out of the addresses of {facts.target.host}."
    # What is answered with a «no» costs a program nothing, and it goes on to the next address.
    waits = any(result.ending == "timeout" for result in facts.failed)
    severity: Severity | None = None if waits else "warning"
    works_too = CONNECTS.format(address=broken[0])
    return verdict(facts, "mixed", sentence, general=(step, instead), falsified=works_too, severity=severity)


def _endings(facts: Facts) -> dict[str, tuple[str, ...]]:
    """How connects to each address ended; one that an ICMP error ended explains those that had no answer."""
    found: dict[str, dict[str, None]] = {}
    for result in facts.failed:
        found.setdefault(result.handshake.server, {})[ending(result)] = None
    for endings in found.values():
        if any(one.startswith("unreachable") for one in endings):
            endings.pop("timeout", None)
    return {server: tuple(endings) for server, endings in found.items()}


def _differ(facts: Facts) -> bool:
    """Whether several addresses fail, each in its own way or for its own reason."""
    endings = _endings(facts)
    reasons = {None if cause is None else (cause.kind, cause.stops) for _, cause in facts.accused_by_address}
    return len(endings) > 1 and (len(set(endings.values())) > 1 or len(reasons) > 1)


def _several(facts: Facts) -> Verdict:
    """What is said of one address need not hold for another."""
    causes = dict(facts.accused_by_address)
    parts, steps = [], []
    for server, endings in _endings(facts).items():
        cause = causes.get(server)
        why = "" if cause is None else f" ({cause.sentence.rstrip('.')})"
        parts.append(f"{', '.join(endings)} at {server}{why}")
        if cause is not None and cause.remedy is not None:
            steps.append(f"For {server}: {' '.join(remedy_steps(cause.remedy))}")
        else:
            steps.append(f"Of {server}, see more: `halfopen doctor {endpoint(server, facts.target.port)}`.")
    sentence = f"No connect was established: {'; '.join(parts)}."
    return verdict(replace(facts, causes=()), "mixed", sentence, general=tuple(steps), falsified=SEVERAL)


def _by_address(results: list[ProbeResult]) -> str:
    """``timeout, refused (ECONNREFUSED)``; of several addresses each with its own."""
    endings: dict[str, dict[str, None]] = {}
    for result in results:
        endings.setdefault(result.handshake.server, {})[ending(result)] = None
    if len(endings) == 1:
        return ", ".join(*endings.values())
    return "; ".join(f"{', '.join(found)} at {server}" for server, found in endings.items())


def failed(facts: Facts) -> Verdict:
    """None was."""
    if _differ(facts):
        return _several(facts)
    first = facts.failed[0]
    if any(cause.stops == "syn_out" for cause in facts.accused):
        count = plural(len(facts.failed), "connect")
        return verdict(facts, "not_sent", f"{count} to {facts.target} failed: no SYN got out of this host.")
    told = [result for result in facts.failed if result.ending == "unreachable" and result.handshake.syn_sent]
    quiet = {result.handshake.server for result in facts.failed} - {result.handshake.server for result in told}
    if told and not quiet and all(result in told or result.ending == "timeout" for result in facts.failed):
        return unreachable(facts, told)
    if any(result.ending != first.ending for result in facts.failed):
        return verdict(facts, "mixed", f"No connect was established: {_by_address(facts.failed)}.", where_lost(facts))
    if first.ending == "refused":
        return refused(facts)
    # An ICMP error answers a SYN; without one, «unreachable» is this host's own word: it has no route.
    if first.ending == "not_sent" or (first.ending in {"failed", "unreachable"} and not first.handshake.syn_sent):
        return _not_sent(facts)
    return _silent(facts)


def _not_sent(facts: Facts) -> Verdict:
    row = facts.failed[0].handshake
    parsed = address_of(row.server)
    nowhere = parsed is not None and parsed.version == 6 and parsed.is_link_local and "%" not in facts.target.host
    step = LINK_LOCAL if nowhere else FORBIDDEN.get(row.errno or "", NOT_SENT)
    step = step.format(address=row.server, port=facts.target.port)
    return verdict(
        facts, "not_sent", f"This host sent no SYN: connect() said {row.errno or 'an error'}.", general=(step,)
    )


def _silent(facts: Facts) -> Verdict:
    count, packets = plural(len(facts.failed), "connect"), facts.packets
    if packets is not None and not packets.dropped and facts.sent_on is None:
        if packets.own_syn_sent == 0:
            sentence = f"{count} to {facts.target} failed: no SYN to it left this host."
            return verdict(facts, "not_sent", sentence, general=(NOT_ON_THE_WIRE,))
        if packets.own_syn_ack_sent:
            sentence = (
                f"{count} to {facts.target} had their answer dropped by this host: it came in, and TCP never saw it."
            )
            return verdict(facts, "silent_drop", sentence, general=(NOT_ON_THE_WIRE,), falsified=CAME_IN)
    if any(cause.stops == "answer" for cause in facts.accused):
        return verdict(
            facts, "silent_drop", f"{count} to {facts.target} waited in vain: the answer does not come through."
        )
    sentence = f"{count} to {facts.target} had no answer at all: no SYN-ACK, no RST, no ICMP."
    seen = packets is not None and packets.own_syn_sent and facts.sent_on is None
    return verdict(facts, "silent_drop", sentence, where_lost(facts), falsified=LEAVES if seen else None)
