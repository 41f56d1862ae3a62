"""Translation of addresses: is what is meant for the target sent on to somebody else, here or where it arrives?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.quantity import endpoint, listed
from halfopen.rules.causes.places import in_namespace
from halfopen.rules.filter_conditions import NO_CONDITION, Packet, unjudged
from halfopen.rules.filtering import met
from halfopen.rules.routing import address_of, is_own

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.network import FilterRule
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space

#: ``dnat to 10.0.0.5:80``, ``dnat ip to 10.0.0.5``, ``--to-destination 10.0.0.5:80``, ``redirect to :8080``,
#: ``--to-ports 8080``.
_TO = re.compile(r"(?:\bdnat (?:ip6? )?to |--to-destination |\bredirect to |--to-ports )(\S+)")


def check(space: Space, way: Way) -> LocalCause | None:
    """The rule that sends it on; None where none does."""
    for place, hook in _places(space, way):
        found = list(_translations(place, way, hook))
        for rule, doubt in found[:1]:
            to, netns = _target(rule, way), None if place.now.own else place.name
            sends, but = (
                ("sends", "") if doubt is None else ("may send", f"{_others(found, way)}: {doubt} is not judged")
            )
            sentence = (
                f"The rule «{rule.text}» of {rule.family} {rule.table} {rule.chain}{in_namespace(place)} {sends} what "
                f"is meant for {endpoint(way.destination, way.port)} on to {to or 'another address'}{but}."
            )
            confirm = None if to is None else place.command(f"halfopen doctor {to}")
            return LocalCause("translation", "fact", sentence, confirm=confirm, netns=netns, sends_on_to=to)
    return None


def _others(found: list[tuple[FilterRule, str | None]], way: Way) -> str:
    """«, and other rules to 10.0.0.6:80 and 10.0.0.7:80»: up to the first that leaves nothing to others."""
    certain = next((index for index, (_, doubt) in enumerate(found) if doubt is None), len(found))
    others = dict.fromkeys(to for rule, _ in found[1 : certain + 1] if (to := _target(rule, way)) is not None)
    return f", and other rules to {listed(list(others))}" if others else ""


def _places(space: Space, way: Way) -> Iterator[tuple[Space, str]]:
    yield space, "output"
    for place in way.path.beyond:
        yield place, "prerouting"


def _translations(place: Space, way: Way, hook: str) -> Iterator[tuple[FilterRule, str | None]]:
    """Rules that name the address or the port, or that such lead to, and what of each is not judged.

    What asks for neither is for a transparent proxy's own traffic.
    """
    if place.now.packet_filter is None:
        return
    loopback = hook == "output" and is_own(place.now, way.destination)
    packet = Packet(way.source, way.destination, way.port, loopback=loopback)
    for one in met(place.now.packet_filter, hook, packet):
        if one.verdict.partition(" ")[0] in {"dnat", "redirect"} and one.named:
            yield one.rule, one.why or unjudged(one.rule, packet)


def _target(rule: FilterRule, way: Way) -> str | None:
    """``10.0.0.5:80``: what the rule leaves out stays as it was."""
    # Comments are anybody's words, and what is found here is typed.
    found = _TO.search(NO_CONDITION.sub(" ", rule.text))
    if found is None:
        return None
    address, bracket, rest = found[1].partition("]")
    if bracket:
        host, port = address.removeprefix("["), rest.removeprefix(":")
    elif found[1].isdigit():
        host, port = "", found[1]
    elif found[1].count(":") > 1:
        host, port = found[1], ""
    else:
        host, _, port = found[1].partition(":")
    number = port.partition("-")[0]
    if host and address_of(host) is None:  # a range, or a map
        return None
    return endpoint(host or way.destination, int(number) if number.isdigit() else way.port)
