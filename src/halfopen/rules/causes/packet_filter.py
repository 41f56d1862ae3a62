"""The packet filter: does a rule stop the SYN, out of this host or through another namespace of it, or the answer?"""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.causes.suspect import Suspect
from halfopen.rules.filter_conditions import Packet
from halfopen.rules.filtering import stops
from halfopen.rules.policy_routing import Flow
from halfopen.rules.routing import comes_by, is_own, leaves_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.cause import Stopped, Verdict
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space


_WORDS: dict[Stopped, str] = {
    "syn_out": "the SYN on its way out",
    "syn_through": "the SYN on its way through",
    "syn_in": "the SYN on its way in",
    "answer": "the answer",
}
#: Hooks that a SYN and its answer meet: at the host that connects, at one that forwards, at the target.
_OUT = ("output", "postrouting", "egress")
_THROUGH = ("ingress", "prerouting", "forward", "postrouting", "egress")
_IN = ("ingress", "prerouting", "input")


def check(space: Space, way: Way) -> LocalCause | None:
    """Whether the packet filter stops the SYN or its answer, here or in another namespace that they come through."""
    if space.now.packet_filter is None:
        return LocalCause("filter", "unknown", "The packet filter's rules could not be read.")
    stopping = [] if way.came_through else [*_syn(space, way), *(_answer(space, way) if way.unanswered else ())]
    stopping = [one for one in stopping if not one.counted_nothing]
    found = [one for one in stopping if one.is_likely]
    if not found and stopping:
        return _unjudged(stopping[0])
    if not found:
        seen = way.path.there is not None and way.path.there.now.packet_filter is not None
        either = "out" + (", through" if way.path.hops else "") + (" or in" if seen else "")
        both = ", or its answer on its way in" if way.unanswered else ""
        return LocalCause(
            "filter", "exonerated", f"No rule of the packet filter stops a SYN on its way {either}{both}."
        )
    signed = [one for one in found if one.signed]
    if len(signed) == 1 and not any(one.guilty for one in found):
        return _stopped(signed[0], guilty=True)
    first = min(found, key=lambda one: (not one.guilty, not one.moved))
    return _stopped(first, guilty=first.guilty)


def _stopped(one: Suspect, *, guilty: bool) -> LocalCause:
    stop = one.stop
    where = "" if one.space.now.own else f" in network namespace {one.space.name}"
    does = f"counted packets in the meantime and {stop.verdict}s" if one.moved else f"{stop.verdict}s"
    who = f"{stop.where[0].upper()}{stop.where[1:]}{where}"
    sure = f"{who} {does} {_packet_words(one)}."
    doubt = f": {stop.doubt} is not judged" if stop.doubt is not None else ""
    sentence = sure if guilty else f"{who} may {stop.verdict} {_packet_words(one)}{doubt}."
    evidence = (
        (Evidence("packets it counted", stop.packets, "packets", stop.chain),) if stop.packets is not None else ()
    )
    verdict: Verdict = "cause" if guilty else "possible"
    netns = None if one.space.now.own else one.space.name
    return LocalCause("filter", verdict, sentence, evidence, _remedy(one), _look(one), one.packet, netns, if_sure=sure)


def _unjudged(one: Suspect) -> LocalCause:
    """A rule that is none for answers, as far as one can tell: and that is not far enough to say so."""
    where = "" if one.space.now.own else f" in network namespace {one.space.name}"
    doubt = "" if one.stop.doubt is None else f" ({one.stop.doubt})"
    sentence = (
        f"No rule of the packet filter stops a SYN on its way out; whether {one.stop.where}{where} {one.stop.verdict}s "
        f"{_packet_words(one)} is not judged{doubt}."
    )
    netns = None if one.space.now.own else one.space.name
    return LocalCause("filter", "unknown", sentence, (), None, _look(one), None, netns)


def _packet_words(one: Suspect) -> str:
    if one.packet != "answer":
        return _WORDS[one.packet]
    at = (
        "out" if one.space is one.way.path.there and not one.space.now.own else "in" if one.space.now.own else "through"
    )
    return f"the answer on its way {at}"


def _by_iptables(one: Suspect) -> bool:
    """Only iptables counts what a policy meets, and writes its rules so."""
    rule = one.stop.rule
    return one.stop.packets is not None if rule is None else rule.text.startswith("-A ")


def _place(one: Suspect) -> tuple[str, str, str]:
    rule = one.stop.rule
    family, table, chain = one.stop.chain.split(" ", 2) if rule is None else (rule.family, rule.table, rule.chain)
    return family, table, chain


def _look(one: Suspect) -> str:
    """The command that shows it, counters and all."""
    family, table, chain = map(shlex.quote, _place(one))
    if _by_iptables(one):
        return one.space.command(f"{'ip6tables' if family == 'ip6' else 'iptables'} -t {table} -vnL {chain}")
    return one.space.command(f"nft list chain {family} {table} {chain}")


def _remedy(one: Suspect) -> Remedy:
    """A rule before it that lets this connection through: the least that helps, and easily undone."""
    family, table, chain = map(shlex.quote, _place(one))
    way, ends = one.way, ("s", "d") if one.packet == "answer" else ("d", "d")
    name = "ip6" if ":" in way.destination else "ip"
    if _by_iptables(one):
        program = "ip6tables" if name == "ip6" else "iptables"
        accept = (
            f"{program} -t {table} -I {chain} -p tcp -{ends[0]} {way.destination} --{ends[0]}port {way.port} -j ACCEPT"
        )
    else:
        word = f"{ends[0]}addr"
        match = f"{name} {word} {way.destination} tcp {ends[0]}port {way.port}"
        accept = f"nft insert rule {family} {table} {chain} {match} accept"
    return Remedy(f"If it is meant to be let through, accept it before that: `{one.space.command(accept)}`.")


def _syn(space: Space, way: Way) -> Iterator[Suspect]:
    loopback = is_own(space.now, way.destination)
    packet = Packet(way.source, way.destination, way.port, loopback=loopback)
    yield from _at(space, way, replace(packet, out=leaves_by(space.now, way.flow)), _OUT, "syn_out")
    for hop in way.path.hops:
        onwards = replace(packet, out=leaves_by(hop.now, replace(way.flow, forwarded=True)))
        yield from _at(hop, way, onwards, _THROUGH, "syn_through")
    if way.path.there is not None:
        yield from _at(way.path.there, way, replace(packet, into=comes_by(way.path.there.now)), _IN, "syn_in")


def _answer(space: Space, way: Way) -> Iterator[Suspect]:
    loopback = is_own(space.now, way.destination)
    packet = Packet(way.destination, way.source, None, way.port, loopback=loopback)
    places: list[tuple[Space, tuple[str, ...], Packet]] = [(hop, _THROUGH, packet) for hop in reversed(way.path.hops)]
    places.append((space, _IN, replace(packet, into=comes_by(space.now))))
    if way.path.there is not None:
        back = Flow(way.source or way.destination, way.destination)
        places.insert(0, (way.path.there, _OUT, replace(packet, out=leaves_by(way.path.there.now, back))))
    for place, hooks, there in places:
        yield from _at(place, way, there, hooks, "answer")


def _at(space: Space, way: Way, packet: Packet, hooks: tuple[str, ...], stopped: Stopped) -> Iterator[Suspect]:
    if space.now.packet_filter is not None:
        for hook in hooks:
            for stop in stops(space.now.packet_filter, hook, packet):
                yield Suspect(stop, space, stopped, way)
