"""What the packet filter would do with a SYN, as far as its rules can be read.

A rule may ask for more than a snapshot keeps (a user, a mark, a set), so that a match is only possible. Its counter,
where it moved between two snapshots, makes it more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_network
from typing import TYPE_CHECKING

from halfopen.rules.routing import address_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.network import FilterChain, FilterRule, PacketFilter

#: Parts of a rule's text that ask for nothing.
_NO_CONDITION = re.compile(
    r"counter( packets \d+ bytes \d+)?|comment \"[^\"]*\"|-m comment|--comment (\"[^\"]*\"|\S+)|--reject-with \S+"
    r"|(?<=reject) with .*"
)
_OTHER_PROTOCOL = re.compile(r"\b(udp|udplite|icmp|icmpv6|ipv6-icmp|sctp|dccp|esp|ah|gre|igmp)\b")
_TCP = re.compile(r"\btcp\b")
#: ``ct state established,related``, ``-m conntrack ! --ctstate NEW``.
_STATES = re.compile(r"(!\s*)?(?:--ctstate|--state|ct state)\s+(!=\s*)?(\{[^}]*\}|[\w,]+)")
#: ``tcp sport 8000``, ``--sport 80:90``, ``--sports 80,443``, ``tcp sport { 80, 443 }``.
_SOURCE_PORTS = re.compile(r"(!\s*(?=--sport)|)(?:--sports?|\bsport)\s+(!=\s*|)(\{[^}]*\}|\S+)")

#: Conditions that ``matches`` has checked, whatever it did not understand being taken to hold.
_CHECKED = re.compile(
    r"""(?<!\S)(
      ip6?\ [sd]addr\ (!=\ )?(\{[^}@]*\}|[0-9a-fA-F.:/]+)
    | tcp\ [sd]port\ (!=\ )?(\{[^}@]*\}|[\d-]+)
    | (meta\ l4proto|ip\ protocol|ip6\ nexthdr)\ tcp
    | ct\ state\ (\{[^}]*\}|[\w,]+)
    | tcp\ flags(\ &\ \([^)]*\)\ ==)?\ syn(\ /\ [\w,|]+)?
    | -A\ \S+ | -j | -p\ tcp | -m\ (tcp|multiport) | -[sd]\ [0-9a-f.:/]+ | --[sd]ports?\ [\d:,]+
    | --(syn|tcp-flags\ \S+\ SYN) | -m\ (conntrack\ --ctstate|state\ --state)\ [\w,]+
    )(?!\S)""",
    re.VERBOSE,
)
#: Asks for the loopback interface.
_LOOPBACK = re.compile(r"(?<!\S)([io]if|[io]ifname|-[io]) \"?lo\"?(?!\S)")
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
class Packet:
    """A segment as the filter sees it; what is None matches anything."""

    source: str | None
    destination: str | None
    port: int | None
    """Destination port; None for an answer, whose destination port is not known."""
    answer_from: int | None = None
    """Source port of an answer; None for a SYN, whose source port is not known."""

    loopback: bool = False
    """It goes over ``lo``, as what a host sends to itself does."""

    @property
    def is_answer(self) -> bool:
        """Whether it belongs to a connection that exists: a SYN-ACK."""
        return self.answer_from is not None


@dataclass(frozen=True, slots=True)
class Stop:
    """What would stop the packet: a rule, or the policy of a chain."""

    chain: str
    """``inet filter output``."""
    verdict: str
    rule: FilterRule | None = None
    packets: int | None = None
    certain: bool = False
    """Every condition on the way to it was checked: such a packet gets no further."""

    @property
    def where(self) -> str:
        """``the rule «…» of ip filter OUTPUT``, ``the policy of …`` (hostile text)."""
        if self.rule is None:
            return f"the policy of {self.chain}"
        return f"the rule «{self.rule.text}» of {self.rule.family} {self.rule.table} {self.rule.chain}"


def stops(packet_filter: PacketFilter, hook: str, packet: Packet) -> Iterator[Stop]:
    """Everything at ``hook`` that could drop or reject a new connection's ``packet``."""
    for chain in packet_filter.chains:
        if chain.hook == hook and _is_of_family(chain, packet):
            yield from _walk(packet_filter, chain, packet)


def met(packet_filter: PacketFilter, hook: str, packet: Packet) -> Iterator[FilterRule]:
    """Every rule at ``hook`` that a new connection's ``packet`` may meet, through jumps, in the order of the chains."""
    for chain in packet_filter.chains:
        if chain.hook == hook and _is_of_family(chain, packet):
            for rule, _ in _reached(packet_filter, (chain.family, chain.table, chain.name), packet):
                yield rule


def _is_of_family(chain: FilterChain, packet: Packet) -> bool:
    address = address_of(packet.destination) if packet.destination else None
    return address is None or chain.family in _FAMILIES[address.version]


def _walk(packet_filter: PacketFilter, chain: FilterChain, packet: Packet) -> Iterator[Stop]:
    name = f"{chain.family} {chain.table} {chain.name}"
    # What was passed and may have let the packet go another way makes all that follows a possibility.
    certain = (
        not packet_filter.rules_left_out
        and chain.hook not in _OF_A_DEVICE
        and not any(_word(one) in _ELSEWHERE for one in packet_filter.rules)
    )
    for rule, sure in _reached(packet_filter, (chain.family, chain.table, chain.name), packet):
        verdict = _word(rule)
        if verdict in {"drop", "reject"}:
            yield Stop(name, verdict, rule, rule.packets, certain and sure and _is_checked(rule, packet))
            if _is_plain(rule):
                return
        elif verdict == "accept" and rule.limit:
            certain = False  # what is beyond the limit goes on
        elif verdict == "accept" and _LOOPBACK.search(rule.text):
            if packet.loopback:
                return
        elif verdict == "accept" and (
            _is_plain(rule) or rule.ports or rule.destinations or rule.sources or (packet.is_answer and rule.conntrack)
        ):
            return  # what names the packet, or everything, and accepts it is taken at its word
        elif verdict not in _GOES_ON:
            certain = False
    if chain.policy == "drop":
        yield Stop(name, "drop", None, chain.packets, certain)


def _reached(
    packet_filter: PacketFilter, place: tuple[str, str, str], packet: Packet, depth: int = 0
) -> Iterator[tuple[FilterRule, bool]]:
    """The rules that the packet meets, in order, through jumps; and whether it is certain that it comes so far."""
    if depth > DEPTH_MAX:
        return
    for rule in packet_filter.rules:
        if (rule.family, rule.table, rule.chain) != place:
            continue
        if not matches(rule, packet):
            continue
        kind, _, target = (rule.verdict or "").partition(" ")
        if kind in {"jump", "goto"} and target:
            sure = _is_checked(rule, packet)
            for inner, also in _reached(packet_filter, (*place[:2], target), packet, depth + 1):
                yield inner, sure and also
        else:
            yield rule, True


def matches(rule: FilterRule, packet: Packet) -> bool:
    """Whether a rule may match; what it asks for and a snapshot does not keep is taken to hold."""
    return (
        _concerns(rule, packet)
        and _has_port(rule, packet.port)
        and names_source_port(rule, packet.answer_from) is not False
        and _has_address(rule.destinations, packet.destination)
        and _has_address(rule.sources, packet.source)
    )


def names_source_port(rule: FilterRule, port: int | None) -> bool | None:
    """Whether a rule asks for this source port; None where it asks for none, or where none is known."""
    found = _SOURCE_PORTS.search(rule.text)
    if found is None or port is None:
        return None
    named = any(_covers(part.replace(":", "-"), port) for part in re.split(r"[\s,{}]+", found[3]) if part)
    return named != bool(found[1] or found[2])


def _has_port(rule: FilterRule, port: int | None) -> bool:
    if not rule.ports or port is None:
        return not rule.ports
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


def _is_plain(rule: FilterRule) -> bool:
    """Whether it asks for nothing at all: what comes here goes no further."""
    if rule.ports or rule.destinations or rule.sources or rule.limit or rule.syn_only or rule.conntrack:
        return False
    words = _NO_CONDITION.sub(" ", rule.text).split()
    return len(words) == 1 or (words[:1] == ["-A"] and len(words) == 4)


def _is_checked(rule: FilterRule, packet: Packet) -> bool:
    """Whether it asks for nothing that ``matches`` took to hold unseen."""
    unknown = (
        (rule.ports and packet.port is None)
        or (rule.destinations and packet.destination is None)
        or (rule.sources and packet.source is None)
        or (packet.answer_from is None and _SOURCE_PORTS.search(rule.text))
        or rule.limit
    )
    rest = _CHECKED.sub(" ", _NO_CONDITION.sub(" ", rule.text)).split()
    return not unknown and (len(rest) == 1 or (len(rest) > 1 and rest[0] in {"jump", "goto"}))


def _concerns(rule: FilterRule, packet: Packet) -> bool:
    """Whether it is about TCP, and about connections that begin (or exist, for an answer), as far as its text says."""
    if packet.is_answer and rule.syn_only:
        return False
    text = _NO_CONDITION.sub(" ", rule.text)
    if _OTHER_PROTOCOL.search(text) and not _TCP.search(text):
        return False
    states = _STATES.search(text)
    wanted = "established" if packet.is_answer else "new"
    return states is None or (wanted in states[3].lower()) != bool(states[1] or states[2])


def _word(rule: FilterRule) -> str:
    return (rule.verdict or "").partition(" ")[0]
