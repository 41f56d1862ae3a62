"""Verdicts on connects that a RST answered: nobody listens there, or a packet filter sends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import listed, plural
from halfopen.rules.verdicts.build import verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.verdict import Verdict
    from halfopen.rules.listening import Listening
    from halfopen.rules.verdicts.facts import Facts

OTHER_PORT = "Start the service, or connect to the port on which it listens."
#: Listeners that are named; a host with more has other means to find its own.
NAMED_MAX = 4


def refused(facts: Facts) -> Verdict:
    """Every one."""
    answered = f"{plural(len(facts.failed), 'connect')} to {facts.target} were answered by a RST"
    if any(cause.kind == "filter" for cause in facts.accused):
        return verdict(facts, "refused", f"{answered} of a packet filter.")
    if facts.sent_on is not None:
        return verdict(facts, "refused", f"{answered}: nothing listens where they are sent on to.", general=())
    if not facts.own or facts.sockets_unread:
        return verdict(facts, "refused", f"{answered}: nothing listens there, or a firewall says so.")
    if facts.listening is not None:
        return _though_served(facts, answered, facts.listening)
    where = "on this host" if facts.place is None else f"in {facts.where}"
    others = "; ".join(_others(facts))
    sentence = f"Nothing listens on {facts.target} {where}" + (f": {others}." if others else ".")
    return verdict(facts, "refused", sentence, general=_have_it_listen(facts))


def _though_served(facts: Facts, answered: str, listening: Listening) -> Verdict:
    command = "nft list ruleset"
    look = command if facts.there is None else facts.there.command(command)
    return verdict(
        facts,
        "refused",
        f"{answered}, though {listening.name} listens in {facts.where}: it began only now, or a rule rejects them.",
        general=(f"Connect again, and look for a rule that rejects with a RST: `{look}`.",),
    )


def _same_port(facts: Facts) -> list[Listening]:
    listening = () if facts.there is None else facts.there.listening
    return [one for one in listening if one.port == facts.target.port]


def _others(facts: Facts) -> Iterator[str]:
    """What listens on that port at another address, or, where nothing does, on other ports."""
    same = _same_port(facts)
    for one in same[:NAMED_MAX]:
        only = " takes IPv6 only" if one.first.only_v6 and one.first.address == "::" else " is on another address"
        yield f"{one.name}{only}"
    ports = () if facts.there is None else facts.there.listening
    if not same and 0 < len(ports) <= NAMED_MAX:
        yield f"what listens there is {listed([one.name for one in ports])}"
    if not same and 0 < len(facts.elsewhere) <= NAMED_MAX:
        yield f"on that port listens {listed(list(facts.elsewhere))}"


def _have_it_listen(facts: Facts) -> tuple[str, ...] | None:
    """What to change: where the program listens, when it does."""
    same = _same_port(facts)
    if not same:
        ports = () if facts.there is None else facts.there.listening
        return (OTHER_PORT,) if 0 < len(ports) <= NAMED_MAX else None
    who = "the program" if same[0].owner is None else same[0].owner.comm
    if same[0].first.only_v6 and same[0].first.address == "::":
        return (f"Have {who} listen on 0.0.0.0, too, or on [::] without IPV6_V6ONLY.",)
    family = "[::]" if ":" in facts.failed[0].handshake.server else "0.0.0.0"  # noqa: S104  (words, no bind)
    return (f"Have {who} listen on {facts.failed[0].handshake.server}, or on {family}, which is every address.",)
