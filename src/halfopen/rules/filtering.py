"""What the packet filter would do with a SYN, as far as its rules can be read.

A rule may ask for more than a snapshot keeps (a user, a mark, a set), so that a match is only possible. Its counter,
where it moved between two snapshots, makes it more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from halfopen.rules.filter_conditions import NO_CONDITION, Packet, fits_interfaces, source_ports, unjudged
from halfopen.rules.routing import address_of
from halfopen.rules.verdict_maps import outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.network import FilterChain, FilterRule, PacketFilter

_OTHER_PROTOCOL = re.compile(r"\b(udp|udplite|icmp|icmpv6|ipv6-icmp|sctp|dccp|esp|ah|gre|igmp)\b")
_TCP = re.compile(r"\btcp\b")
#: ``ct state established,related``, ``-m conntrack ! --ctstate NEW``.
_STATES = re.compile(r"(!\s*)?(?:--ctstate|--state|ct state)\s+(?!vmap\b)(!=\s*)?(\{[^}]*\}|[\w,]+)")
#: Verdicts of rules that send a packet elsewhere before the filter sees it.
_ELSEWHERE = frozenset({"dnat", "redirect", "tproxy", "fwd"})
#: Families of tables that see packets of IPv4 and of IPv6.
_FAMILIES = {4: ("ip", "inet", "netdev"), 6: ("ip6", "inet", "netdev")}
#: Hooks of one device: whether the packet comes by it is not known.
_OF_A_DEVICE = frozenset({"ingress", "egress"})

#: Verdicts after which a packet meets the next rule. Any other may have sent it elsewhere.
_GOES_ON = frozenset({"", "continue", "notrack", "log", "counter"})

#: Jumps that are followed into each other.
DEPTH_MAX = 16


@dataclass(frozen=True, slots=True)
class Stop:
    """What would stop the packet: a rule, or the policy of a chain."""

    chain: str
    """``inet filter output``."""
    verdict: str
    rule: FilterRule | None = None
    packets: int | None = None
    doubt: str | None = None
    """What is not judged, so that it only may: ``«meta skuid 1000»``, ``the rule «…» before it`` (hostile text)."""

    @property
    def certain(self) -> bool:
        """Every condition on the way to it was checked: such a packet gets no further."""
        return self.doubt is None

    @property
    def where(self) -> str:
        """``the rule «…» of ip filter OUTPUT``, ``the policy of …`` (hostile text)."""
        if self.rule is None:
            return f"the policy of {self.chain}"
        return f"the rule «{self.rule.text}» of {self.rule.family} {self.rule.table} {self.rule.chain}"


@dataclass(frozen=True, slots=True)
class Met:
    """A rule that a packet comes to."""

    rule: FilterRule
    verdict: str
    """One of those of its map, where it has one."""
    why: str | None
    """What is not judged on the way to it."""
    named: bool
    """It, or a rule that leads to it, asks for a destination address or port."""


def stops(packet_filter: PacketFilter, hook: str, packet: Packet) -> Iterator[Stop]:
    """Everything at ``hook`` that could drop or reject a new connection's ``packet``."""
    for chain in packet_filter.chains:
        if chain.hook == hook and _is_of_family(chain, packet):
            yield from _walk(packet_filter, chain, packet)


def met(packet_filter: PacketFilter, hook: str, packet: Packet) -> Iterator[Met]:
    """Every rule at ``hook`` that a new connection's ``packet`` may meet, through jumps, in the order of the chains."""
    for chain in packet_filter.chains:
        if chain.hook == hook and _is_of_family(chain, packet):
            yield from _reached(packet_filter, (chain.family, chain.table, chain.name), packet)


def _is_of_family(chain: FilterChain, packet: Packet) -> bool:
    address = address_of(packet.destination) if packet.destination else None
    return address is None or chain.family in _FAMILIES[address.version]


def _walk(packet_filter: PacketFilter, chain: FilterChain, packet: Packet) -> Iterator[Stop]:
    name = f"{chain.family} {chain.table} {chain.name}"
    doubt = _doubt(packet_filter, chain)
    for one in _reached(packet_filter, (chain.family, chain.table, chain.name), packet):
        rule, why = one.rule, one.why
        word, own = one.verdict.partition(" ")[0], why or unjudged(rule, packet)
        if word in {"drop", "reject"}:
            yield Stop(name, word, rule, rule.packets, doubt or own)
            if is_plain(rule):
                return
        elif word == "accept" and own is None:
            return
        elif word == "queue":
            yield Stop(name, "drop", rule, rule.packets, doubt or why or "what the program of its queue decides")
            doubt = doubt or f"the rule «{rule.text}» before it"
        elif word not in _GOES_ON:
            doubt = doubt or f"the rule «{rule.text}» before it"
    if chain.policy == "drop":
        yield Stop(name, "drop", None, chain.packets, doubt)


def _doubt(packet_filter: PacketFilter, chain: FilterChain) -> str | None:
    """What may let the packet go another way before it comes to any rule of the chain."""
    if packet_filter.rules_left_out:
        return f"what stands in {packet_filter.rules_left_out} more rules"
    if chain.hook in _OF_A_DEVICE:
        return "which device it comes by"
    away = next((one for one in packet_filter.rules if _word(one) in _ELSEWHERE), None)
    return None if away is None else f"where the rule «{away.text}» sends it"


def _reached(
    packet_filter: PacketFilter,
    place: tuple[str, str, str],
    packet: Packet,
    depth: int = 0,
    why: str | None = None,
    *,
    named: bool = False,
) -> Iterator[Met]:
    """The rules that the packet meets, in order, through jumps."""
    if depth > DEPTH_MAX:
        return
    for rule in packet_filter.rules:
        if (rule.family, rule.table, rule.chain) != place or not matches(rule, packet):
            continue
        verdicts, known = _verdicts(rule, packet)
        own = why or (None if known else "its verdict map")
        asks = own or _asks(rule, packet)
        names = named or bool(rule.ports or rule.destinations)
        for verdict in verdicts:
            kind, _, target = verdict.partition(" ")
            if kind in {"jump", "goto"} and target:
                yield from _reached(packet_filter, (*place[:2], target), packet, depth + 1, asks, named=names)
            else:
                yield Met(rule, verdict, own, names)
            if kind in {"goto", "return"} and asks is None:
                return  # the rest of this chain is not met


def _asks(rule: FilterRule, packet: Packet) -> str | None:
    """What is not judged of a rule that other rules stand behind."""
    asked = unjudged(rule, packet)
    return None if asked is None else f"{asked} of the rule «{rule.text}» before it"


def _verdicts(rule: FilterRule, packet: Packet) -> tuple[list[str], bool]:
    """What may become of the packet, and whether that is known."""
    return outcomes(rule, packet) if rule.verdict == "vmap" else ([rule.verdict or ""], True)


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


def _word(rule: FilterRule) -> str:
    return (rule.verdict or "").partition(" ")[0]
