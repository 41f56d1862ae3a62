"""Which verdict the connects speak for. One function a kind, tried in order; the first that fits is it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfopen.model.quantity import duration, grouped, plural
from halfopen.model.verdict import Verdict
from halfopen.rules.accepting import is_full, starving
from halfopen.rules.listening import listener_name
from halfopen.rules.verdicts.words import CAPTURE, FALSIFIED, MEASURE, OWN_LOST, STEPS, WHERE_LOST, local_evidence

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause
    from halfopen.model.probe import ProbeResult
    from halfopen.model.target import Target
    from halfopen.model.verdict import VerdictKind
    from halfopen.rules.growth import Growth
    from halfopen.rules.listening import Listening


@dataclass(frozen=True, slots=True)
class Facts:
    """What was found out."""

    target: Target
    results: tuple[ProbeResult, ...] = ()
    causes: tuple[LocalCause, ...] = ()
    own: bool = False
    """The target is this host, or another network namespace of it."""
    place: str | None = None
    """That namespace's name."""
    listening: Listening | None = None
    """Its listener, where it is this host and there is one."""
    drops: Growth | None = None
    """Drops at that listener while it was probed."""
    elsewhere: tuple[str, ...] = ()
    """Listeners on the same port that the target's address does not reach."""
    unresolved: str | None = None
    """Why the name stands for no address."""
    answers: tuple[str, ...] = field(default=())
    """Sentences on what the server did after the handshake."""

    @property
    def established(self) -> list[ProbeResult]:
        """Connects that worked."""
        return [result for result in self.results if result.established]

    @property
    def failed(self) -> list[ProbeResult]:
        """Connects that did not."""
        return [result for result in self.results if not result.established]


def judge(facts: Facts) -> Verdict:
    """The verdict."""
    if facts.unresolved is not None:
        return Verdict("not_resolved", f"{facts.target.host} stands for no address: {facts.unresolved}.",
                       falsified_by=FALSIFIED["not_resolved"], steps=STEPS["not_resolved"])  # fmt: skip
    if (starved := _own_starving(facts)) is not None:
        return starved
    if facts.established and facts.failed:
        return _mixed(facts)
    if facts.failed:
        return _failed(facts)
    return _starving(facts) or _slow(facts) or _healthy(facts)


def _healthy(facts: Facts) -> Verdict:
    times = sorted(result.handshake.connect_us for result in facts.results if result.handshake.connect_us is not None)
    took = f", in {duration(times[len(times) // 2])} at the median" if times else ""
    sentence = (
        f"{plural(len(facts.results), 'connect')} to {facts.target}, all established{took}: nothing is wrong now."
    )
    return _verdict(facts, "healthy", sentence)


def _own_starving(facts: Facts) -> Verdict | None:
    """The target is this host, and its listener does not take connections: then nothing else has to be looked for."""
    for listener, _ in () if facts.listening is None else facts.listening.members:
        if is_full(listener) or (listener.accept_queue and starving(listener)):
            waits = plural(listener.accept_queue, "connection")
            name = listener_name(listener)
            full = ", and its queue is full: further SYNs are dropped" if is_full(listener) else ""
            sentence = f"The application does not accept(): {waits} of {name} wait{full}."
            return _verdict(facts, "accept_starvation", sentence)
    return None


def _starving(facts: Facts) -> Verdict | None:
    """The handshake completes and nobody takes the connection, as far as a client can tell."""
    silent = [one for one in facts.established if one.data is not None and one.data.end == "silent"]
    # The server's kernel repeats a SYN-ACK whose ACK it dropped: to the client it is a segment without data.
    repeated = [one for one in silent if one.data is not None and (one.data.segments_received or 0) > 0]
    if repeated and not any(one.data is not None and one.data.received_bytes for one in facts.established):
        sentence = (
            "The handshake completes, but the server sends its SYN-ACK again: its accept queue is full, or it defers "
            "accept()."
        )
        return _verdict(facts, "accept_starvation", sentence)
    return None


def _slow(facts: Facts) -> Verdict | None:
    """Connects that needed more than one SYN."""
    slow = [result for result in facts.results if result.syn_retransmissions]
    if not slow:
        return None
    most = max(result.handshake.connect_us or 0.0 for result in slow)
    sentence = (
        f"{grouped(len(slow))} of {plural(len(facts.results), 'connect')} needed a second SYN, and took up to "
        f"{duration(most)}."
    )
    return _verdict(facts, "slow_syn", sentence, _where_lost(facts))


def _mixed(facts: Facts) -> Verdict:
    endings = ", ".join(dict.fromkeys(_ending(result) for result in facts.failed))
    sentence = (
        f"{grouped(len(facts.established))} of {plural(len(facts.results), 'connect')} were established, the others "
        f"not: {endings}."
    )
    return _verdict(facts, "mixed", sentence, _where_lost(facts))


def _failed(facts: Facts) -> Verdict:
    first = facts.failed[0]
    if any(result.ending != first.ending for result in facts.failed):
        endings = ", ".join(dict.fromkeys(_ending(result) for result in facts.failed))
        return _verdict(facts, "mixed", f"No connect was established: {endings}.", _where_lost(facts))
    count = plural(len(facts.failed), "connect")
    if first.ending == "refused":
        return _refused(facts, count)
    # An ICMP error answers a SYN; without one, «unreachable» is this host's own word: it has no route.
    if first.ending == "not_sent" or (first.ending in {"failed", "unreachable"} and not first.handshake.syn_sent):
        errno = first.handshake.errno or "an error"
        return _verdict(facts, "not_sent", f"This host sent no SYN: connect() said {errno}.")
    if first.ending == "unreachable":
        sentence = f"{count} ended in {_ending(first)}: somebody says that {facts.target} cannot be reached."
        return _verdict(facts, "unreachable", sentence)
    sentence = f"{count} to {facts.target} had no answer at all: no SYN-ACK, no RST, no ICMP."
    return _verdict(facts, "silent_drop", sentence, _where_lost(facts))


def _refused(facts: Facts, count: str) -> Verdict:
    if facts.own and facts.listening is None:
        others = f"; what listens on port {facts.target.port} is {facts.elsewhere[0]}" if facts.elsewhere else ""
        where = "on this host" if facts.place is None else f"in network namespace {facts.place} of this host"
        return _verdict(facts, "refused", f"Nothing listens on {facts.target} {where}{others}.")
    return _verdict(
        facts,
        "refused",
        f"{count} to {facts.target} were answered by a RST: nothing listens there, or a firewall says so.",
    )


def _where_lost(facts: Facts) -> tuple[str, ...]:
    """What tells who lost it: this host, the way, or the server."""
    if any(cause.verdict == "cause" for cause in facts.causes):
        return ()
    if not facts.own:
        return WHERE_LOST, CAPTURE
    return (OWN_LOST.format(place="this host" if facts.place is None else f"network namespace {facts.place}"),)


def _verdict(facts: Facts, kind: VerdictKind, sentence: str, more: tuple[str, ...] = ()) -> Verdict:
    accused = [cause for cause in facts.causes if cause.verdict == "cause"]
    steps = tuple(cause.remedy.summary for cause in accused if cause.remedy is not None) + more + STEPS[kind]
    blamed = accused and kind not in {"healthy", "accept_starvation"}
    return Verdict(
        kind,
        f"{sentence} {accused[0].sentence}" if blamed else sentence,
        (*local_evidence(facts.listening, facts.drops, facts.place, own=facts.own), *facts.answers),
        FALSIFIED[kind],
        (MEASURE.format(target=facts.target), *steps) if kind == "healthy" else steps,
    )


def _ending(result: ProbeResult) -> str:
    errno = result.handshake.errno
    return result.ending.replace("_", " ") + (f" ({errno})" if errno else "")
