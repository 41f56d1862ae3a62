"""What the packet filter would do with a SYN, as far as its rules can be read.

A rule may ask for more than a snapshot keeps (a user, a mark, a set), so that a match is only possible. Its counter,
where it moved between two snapshots, makes it more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.rules.filter_conditions import Packet, unjudged
from halfopen.rules.filter_matching import is_plain, matches
from halfopen.rules.routing import address_of
from halfopen.rules.verdict_maps import outcomes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.network import FilterChain, FilterRule, PacketFilter

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


def _word(rule: FilterRule) -> str:
    return (rule.verdict or "").partition(" ")[0]
