"""Whether a rule of the packet filter may match a packet: its ports, addresses, protocol, states and interfaces."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import TYPE_CHECKING

from halfopen.rules.filter_conditions import NO_CONDITION, fits_interfaces, source_ports
from halfopen.rules.routing import address_of

if TYPE_CHECKING:
    from halfopen.model.network import FilterRule
    from halfopen.rules.filter_conditions import Packet

_OTHER_PROTOCOL = re.compile(r"\b(udp|udplite|icmp|icmpv6|ipv6-icmp|sctp|dccp|esp|ah|gre|igmp)\b")
_TCP = re.compile(r"\btcp\b")
#: ``ct state established,related``, ``-m conntrack ! --ctstate NEW``.
_STATES = re.compile(r"(!\s*)?(?:--ctstate|--state|ct state)\s+(?!vmap\b)(!=\s*)?(\{[^}]*\}|[\w,]+)")


def matches(rule: FilterRule, packet: Packet) -> bool:
    """Whether a rule may match; what it asks for and a snapshot does not keep is taken to hold."""
    return (
        _concerns(rule, packet)
        and fits_interfaces(rule, packet)
        and _has_port(rule, packet.port)
        and names_source_port(rule, packet.answer_from) is not False
        and _has_address(rule.destinations, packet.destination)
        and _has_address(rule.sources, packet.source)
    )


def names_source_port(rule: FilterRule, port: int | None) -> bool | None:
    """Whether a rule asks for this source port; None where it asks for none, or where none is known."""
    found = source_ports(rule)
    if found is None or port is None:
        return None
    named = any(_covers(part.replace(":", "-"), port) for part in re.split(r"[\s,{}]+", found[3]) if part)
    return named != bool(found[1] or found[2])


def names_ports_by_number(rule: FilterRule) -> bool:
    """Whether it is known which ports it names."""
    return all(part.removeprefix("!")[:1].isdigit() for part in rule.ports)


def _has_port(rule: FilterRule, port: int | None) -> bool:
    if not rule.ports or port is None:
        return not rule.ports
    if not names_ports_by_number(rule):
        return True  # a set, or a name: it may
    named = any(_covers(part, port) for part in rule.ports if not part.startswith("!"))
    excluded = [part.removeprefix("!") for part in rule.ports if part.startswith("!")]
    return named or (bool(excluded) and not any(_covers(part, port) for part in excluded))


def _covers(ports: str, port: int) -> bool:
    low, _, high = ports.partition("-")
    return low.isdigit() and (high or low).isdigit() and int(low) <= port <= int(high or low)


def _has_address(prefixes: tuple[str, ...], address: str | None) -> bool:
    parsed = address_of(address) if address else None
    if not prefixes or parsed is None:
        return True
    for text in prefixes:
        try:
            inside = parsed in ip_network(text.lstrip("!").strip(), strict=False)
        except ValueError:
            return True  # a set or a range: it may
        if inside != text.startswith("!"):
            return True
    return False


def is_plain(rule: FilterRule) -> bool:
    """Whether it asks for nothing at all: what comes here goes no further."""
    if rule.ports or rule.destinations or rule.sources or rule.limit or rule.syn_only or rule.conntrack:
        return False
    words = NO_CONDITION.sub(" ", rule.text).split()
    return len(words) == 1 or (words[:1] == ["-A"] and len(words) == 4)


def _concerns(rule: FilterRule, packet: Packet) -> bool:
    """Whether it is about TCP, and about connections that begin (or exist, for an answer), as far as its text says."""
    if packet.is_answer and rule.syn_only:
        return False
    text = NO_CONDITION.sub(" ", rule.text)
    if _OTHER_PROTOCOL.search(text) and not _TCP.search(text):
        return False
    states = _STATES.search(text)
    wanted = "established" if packet.is_answer else "new"
    return states is None or (wanted in states[3].lower()) != bool(states[1] or states[2])
