"""Verdicts on connects that failed: all of them, or some."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import endpoint, grouped, listed, plural
from halfopen.rules.verdicts.build import ending, verdict, where_lost
from halfopen.rules.verdicts.words import NEIGHBOUR_ANSWERS

if TYPE_CHECKING:
    from halfopen.model.cause import LocalCause
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
    return verdict(facts, "mixed", sentence, general=(step, instead))


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
    first = facts.failed[0]
    if any(cause.verdict == "cause" and cause.stops == "syn_out" for cause in facts.causes):
        count = plural(len(facts.failed), "connect")
        return verdict(facts, "not_sent", f"{count} to {facts.target} failed: no SYN got out of this host.")
    told = [result for result in facts.failed if result.ending == "unreachable" and result.handshake.syn_sent]
    silent = {result.handshake.server for result in facts.failed} - {result.handshake.server for result in told}
    if told and not silent and all(result in told or result.ending == "timeout" for result in facts.failed):
        return _unreachable(facts, told)
    if any(result.ending != first.ending for result in facts.failed):
        return verdict(facts, "mixed", f"No connect was established: {_by_address(facts.failed)}.", where_lost(facts))
    count = plural(len(facts.failed), "connect")
    if first.ending == "refused":
        return _refused(facts, count)
    # An ICMP error answers a SYN; without one, «unreachable» is this host's own word: it has no route.
    if first.ending == "not_sent" or (first.ending in {"failed", "unreachable"} and not first.handshake.syn_sent):
        errno = first.handshake.errno or "an error"
        return verdict(facts, "not_sent", f"This host sent no SYN: connect() said {errno}.")
    sentence = f"{count} to {facts.target} had no answer at all: no SYN-ACK, no RST, no ICMP."
    return verdict(facts, "silent_drop", sentence, where_lost(facts))


def _unreachable(facts: Facts, told: list[ProbeResult]) -> Verdict:
    """Somebody said so at least once: not for every SYN (RFC 4443 section 2.4 f), or only after a while."""
    first, count = told[0], plural(len(facts.failed), "connect")
    some = count if len(told) == len(facts.failed) else f"{grouped(len(told))} of {count}"
    rest = "" if len(told) == len(facts.failed) else ", the others had no answer"
    if first.handshake.neighbour_is_silent and not any(cause.kind == "filter" for cause in _suspects(facts)):
        protocol = "ND" if ":" in first.handshake.server else "ARP"
        sentence = (
            f"Nobody on the link answers {protocol} for {first.handshake.server}, or for the gateway to it: that host "
            "is off, or not in that network."
        )
        step = f"See what the link knows of it: `ip neigh show {first.handshake.server}`."
        return verdict(facts, "unreachable", sentence, general=(step,), falsified=NEIGHBOUR_ANSWERS)
    sentence = f"{some} ended in {ending(first)}{rest}: somebody says that {facts.target} cannot be reached."
    return verdict(facts, "unreachable", sentence)


def _suspects(facts: Facts) -> list[LocalCause]:
    return [cause for cause in facts.causes if cause.verdict in {"cause", "possible"}]


def _refused(facts: Facts, count: str) -> Verdict:
    if facts.own and facts.listening is None:
        others = f"; what listens on port {facts.target.port} is {facts.elsewhere[0]}" if facts.elsewhere else ""
        where = "on this host" if facts.place is None else f"in network namespace {facts.place} of this host"
        return verdict(facts, "refused", f"Nothing listens on {facts.target} {where}{others}.")
    return verdict(
        facts,
        "refused",
        f"{count} to {facts.target} were answered by a RST: nothing listens there, or a firewall says so.",
    )
