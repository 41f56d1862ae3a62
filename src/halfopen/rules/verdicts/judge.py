"""Which verdict the connects speak for. One function a kind, tried in order; the first that fits is it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.model.quantity import duration, grouped, listed, plural
from halfopen.model.verdict import Verdict
from halfopen.rules.accepting import is_full
from halfopen.rules.unrouted import without_unrouted
from halfopen.rules.verdicts.build import QUEUE, told, verdict, where_lost
from halfopen.rules.verdicts.captured import by_capture
from halfopen.rules.verdicts.failing import failed, mixed
from halfopen.rules.verdicts.words import FALSIFIED, NO_WAY, STEPS

if TYPE_CHECKING:
    from halfopen.rules.verdicts.facts import Facts

#: A server that defers accept() sends its SYN-ACK once more; one whose queue is full, until it gives up.
STARVED_FROM = 2
#: Rules that say why a listener's SYN queue lets nobody in.
SYN_QUEUE = ("HO106", "HO108")


def judge(facts: Facts) -> Verdict:
    """The verdict."""
    if facts.unresolved is not None:
        return Verdict("not_resolved", f"{facts.target.host} stands for no address: {facts.unresolved}.",
                       severity="critical",
                       falsified_by=FALSIFIED["not_resolved"], steps=STEPS["not_resolved"])  # fmt: skip
    facts = _that_count(facts)
    facts = replace(facts, causes=by_capture(facts))
    if facts.failed and not facts.established and facts.accused:
        # What stops every SYN or its answer comes before whatever else is wrong where none arrives.
        return failed(facts)
    if (starved := _own_starving(facts)) is not None:
        return starved
    if facts.established and facts.failed:
        return mixed(facts)
    if facts.failed:
        return failed(facts)
    return _starving(facts) or _data_lost(facts) or _slow(facts) or _healthy(facts)


def _that_count(facts: Facts) -> Facts:
    """Without the connects to addresses of a family that this host has no way to."""
    results, left_out = without_unrouted(facts.results)
    if not left_out:
        return facts
    said = NO_WAY.format(addresses=listed(left_out))
    return replace(facts, results=results, answers=(*facts.answers, said))


def _healthy(facts: Facts) -> Verdict:
    times = sorted(result.handshake.connect_us for result in facts.results if result.handshake.connect_us is not None)
    took = f", in {duration(times[len(times) // 2])} at the median" if times else ""
    sentence = (
        f"{plural(len(facts.results), 'connect')} to {facts.target}, all established{took}: nothing is wrong with the "
        "handshake now."
    )
    return verdict(facts, "healthy", sentence)


def _own_starving(facts: Facts) -> Verdict | None:
    """The target's listener is this host's, and lets nobody in: its program takes too few, or its SYN queue is full.

    A queue that dropped nothing while connects failed is not why they did; nor is one to which they were not silent.
    """
    if facts.listening is None or (facts.failed and not facts.silent):
        return None
    innocent = facts.drops is not None and facts.drops.stood_still
    lost = bool(facts.failed) or any(result.syn_retransmissions for result in facts.results)
    if lost and innocent:
        return None
    full = any(is_full(listener) for listener, _ in facts.listening.members)
    queue = facts.finding(*QUEUE)
    if queue is not None and (lost or full or queue.code != "HO101") and not (lost and queue.code == "HO104"):
        return told(facts, "accept_starvation", queue)
    if lost and (requests := facts.finding(*SYN_QUEUE)) is not None:
        return told(
            facts, "silent_drop" if not facts.established else "mixed" if facts.failed else "slow_syn", requests
        )
    return None


def _starving(facts: Facts) -> Verdict | None:
    """The handshake completes and nobody takes the connection, as far as a client can tell."""
    silent = [one.data for one in facts.established if one.data is not None and one.data.end == "silent"]
    # The server's kernel repeats a SYN-ACK whose ACK it dropped: to the client it is a segment without data.
    repeated = [data for data in silent if data.syn_acks_received >= STARVED_FROM]
    if repeated and not any(one.data is not None and one.data.received_bytes for one in facts.established):
        sentence = (
            "The handshake completes, but the server sends its SYN-ACK again and again: its accept queue is full, and "
            "its kernel drops the last ACK."
        )
        return verdict(facts, "accept_starvation", sentence)
    return None


def _data_lost(facts: Facts) -> Verdict | None:
    """Data of the server came, and nothing could be read of it: its beginning is lost again and again."""
    if any(one.data is not None and one.data.received_bytes for one in facts.established):
        return None
    if not any(one.data is not None and one.data.lacks_beginning for one in facts.established):
        return None
    sentence = (
        "The handshake completes, and data of the server comes, but never its beginning: the way lets small packets "
        "through and loses large ones (an MTU black hole)."
    )
    return verdict(facts, "data_lost", sentence)


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
    return verdict(facts, "slow_syn", sentence, where_lost(facts), general=() if facts.own else None)
