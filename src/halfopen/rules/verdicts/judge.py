"""Which verdict the connects speak for. One function a kind, tried in order; the first that fits is it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import duration, grouped, plural
from halfopen.model.verdict import Verdict
from halfopen.rules.accepting import is_full, starving
from halfopen.rules.listening import listener_name
from halfopen.rules.verdicts.build import verdict, where_lost
from halfopen.rules.verdicts.failing import failed, mixed
from halfopen.rules.verdicts.words import FALSIFIED, STEPS

if TYPE_CHECKING:
    from halfopen.rules.verdicts.facts import Facts


def judge(facts: Facts) -> Verdict:
    """The verdict."""
    if facts.unresolved is not None:
        return Verdict("not_resolved", f"{facts.target.host} stands for no address: {facts.unresolved}.",
                       falsified_by=FALSIFIED["not_resolved"], steps=STEPS["not_resolved"])  # fmt: skip
    if (starved := _own_starving(facts)) is not None:
        return starved
    if facts.established and facts.failed:
        return mixed(facts)
    if facts.failed:
        return failed(facts)
    return _starving(facts) or _slow(facts) or _healthy(facts)


def _healthy(facts: Facts) -> Verdict:
    times = sorted(result.handshake.connect_us for result in facts.results if result.handshake.connect_us is not None)
    took = f", in {duration(times[len(times) // 2])} at the median" if times else ""
    sentence = (
        f"{plural(len(facts.results), 'connect')} to {facts.target}, all established{took}: nothing is wrong now."
    )
    return verdict(facts, "healthy", sentence)


def _own_starving(facts: Facts) -> Verdict | None:
    """The target is this host, and its listener does not take connections: then nothing else has to be looked for."""
    for listener, _ in () if facts.listening is None else facts.listening.members:
        if is_full(listener) or (listener.accept_queue and starving(listener)):
            waits = plural(listener.accept_queue, "connection")
            name = listener_name(listener)
            full = ", and its queue is full: further SYNs are dropped" if is_full(listener) else ""
            sentence = f"The application does not accept(): {waits} of {name} wait{full}."
            return verdict(facts, "accept_starvation", sentence)
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
        return verdict(facts, "accept_starvation", sentence)
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
    return verdict(facts, "slow_syn", sentence, where_lost(facts))
