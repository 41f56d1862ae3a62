"""Verdicts on connects that an ICMP error ended: who says so, and what that one can know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.icmp import icmp_words
from halfopen.model.quantity import grouped, listed, plural
from halfopen.rules.verdicts.build import ending, verdict
from halfopen.rules.verdicts.words import NEIGHBOUR_ANSWERS

if TYPE_CHECKING:
    from halfopen.model.handshake import Handshake
    from halfopen.model.probe import ProbeResult
    from halfopen.model.verdict import Verdict
    from halfopen.rules.verdicts.facts import Facts

#: Errors by which a router says that it has no way, and by which it says that the last link does not answer; any other
#: says that it will not.
_NO_WAY = {(3, 0), (3, 6), (3, 7), (1, 0), (1, 6)}
_NO_NEIGHBOUR = {(3, 1), (1, 3)}
_LOOP = {(11, 0)}


def unreachable(facts: Facts, told: list[ProbeResult]) -> Verdict:
    """Somebody said so at least once: not for every SYN (RFC 4443 section 2.4 f), or only after a while."""
    first = told[0].handshake
    if first.neighbour_is_silent and not facts.accused and not any(cause.kind == "filter" for cause in facts.suspects):
        return _neighbour(facts, first)
    count = plural(len(facts.failed), "connect")
    some = count if len(told) == len(facts.failed) else f"{grouped(len(told))} of {count}"
    rest = "" if len(told) == len(facts.failed) else ", the others had no answer"
    senders = list(dict.fromkeys(who for one in told if (who := _sender(one.handshake)) is not None))
    by = f" by {listed(senders)}" if senders else ""
    sentence = f"{some} to {facts.target} ended in {ending(told[0])}{by}: «{icmp_words(first) or 'unreachable'}»{rest}."
    return verdict(facts, "unreachable", sentence, general=(_ask(first),))


def _neighbour(facts: Facts, row: Handshake) -> Verdict:
    protocol = "ND" if ":" in row.server else "ARP"
    neighbour = facts.gateway or row.server
    which = f", the gateway to {row.server}" if facts.gateway is not None else ""
    net = "in that network" if facts.gateway is None else "on that link"
    sentence = f"Nobody on the link answers {protocol} for {neighbour}{which}: that host is off, or not {net}."
    step = f"See what the link knows of it: `ip neigh show {neighbour}`; whether the link is up: `ip -br link`."
    return verdict(
        facts, "unreachable", sentence, general=(step,), falsified=NEIGHBOUR_ANSWERS.format(neighbour=neighbour)
    )


def _sender(row: Handshake) -> str | None:
    if row.icmp_from is None:
        return None
    if row.icmp_came_from_itself:
        return "this host itself"
    return "the target itself" if row.icmp_from == row.server else f"the router {row.icmp_from}"


def _ask(row: Handshake) -> str:
    """What to do, by what the sender can know."""
    if row.icmp_from is None:
        return "Look for a route or a packet filter on the way that says so."
    if row.icmp_came_from_itself:
        return "Look for the rule of this host's own packet filter that rejects it, as root: `nft list ruleset`."
    if row.icmp_from == row.server:
        return (
            f"Look for the rule of {row.server}'s packet filter that rejects the SYN, at that host: `nft list ruleset`."
        )
    return _ask_router(row, row.icmp_from)


def _ask_router(row: Handshake, router: str) -> str:
    kind = (row.icmp_type or 0, row.icmp_code or 0)
    if kind in _NO_WAY:
        return f"Give the router {router} a route to {row.server}, or take the one away that says no."
    if kind in _NO_NEIGHBOUR:
        return f"See whether {row.server} is on: behind the router {router} nobody answers for that address."
    if kind in _LOOP:
        return (
            f"Repair the routes between {router} and {row.server}: `traceroute -T -p {row.server_port} {row.server}`."
        )
    return f"Have the packet filter (or a `prohibit` route) of the router {router} let it through to {row.server}."
