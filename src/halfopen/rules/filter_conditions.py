"""What a rule of the packet filter asks for, as far as a snapshot can answer it; and what stays that nobody judges."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.rules.verdict_maps import conditions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.network import FilterRule

#: Parts of a rule's text that ask for nothing.
NO_CONDITION = re.compile(
    r"counter( packets \d+ bytes \d+)?|comment \"[^\"]*\"|-m comment|--comment (\"[^\"]*\"|\S+)|--reject-with \S+"
    r"|(?<=reject) with .*"
)
#: ``tcp sport 8000``, ``--sport 80:90``, ``--sports 80,443``, ``tcp sport { 80, 443 }``.
_SOURCE_PORTS = re.compile(r"(!\s*(?=--sport)|)(?:--sports?|\bsport)\s+(!=\s*|)(\{[^}]*\}|\S+)")
#: Conditions that ``filter_matching.matches`` has checked, whatever it did not understand being taken to hold.
_CHECKED = re.compile(
    r"""(?<!\S)(
      ip6?\ [sd]addr\ (!=\ )?(\{[^}@]*\}|[0-9a-fA-F.:/]+)
    | tcp\ [sd]port\ (!=\ )?(\{[^}@a-z]*\}|[\d-]+)
    | (meta\ l4proto|ip\ protocol|ip6\ nexthdr)\ tcp
    | ct\ state\ (\{[^}]*\}|[\w,]+)
    | tcp\ flags(\ &\ \([^)]*\)\ ==)?\ syn(\ /\ [\w,|]+)?
    | -A\ \S+ | -[jg] | -p\ tcp | -m\ (tcp|multiport) | -[sd]\ [0-9a-f.:/]+ | --[sd]ports?\ [\d:,]+
    | --(syn|tcp-flags\ \S+\ SYN) | -m\ (conntrack\ --ctstate|state\ --state)\ [\w,]+
    )(?!\S)""",
    re.VERBOSE,
)
#: ``iifname "eth0"``, ``oif != { "lo", "wg0" }``, ``-i eth0``, ``! -o eth+``.
_INTERFACE = re.compile(r'(?<!\S)(?:([io])if(?:name)? (?!vmap )(!= |)(\{[^}]*\}|"[^"]*"|\S+)|(! |)-([io]) (\S+))(?!\S)')
#: A rule ends in what becomes of the packet, and where to.
_VERDICT = re.compile(r"(?<!\S)(-[jg] .*|(jump|goto) \S+|(dnat|redirect|tproxy)( ip6?)? to .*|\S+)\s*$")


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
    into: str | None = None
    """The interface that it comes by."""
    out: str | None = None
    """The interface that it leaves by."""

    @property
    def is_answer(self) -> bool:
        """Whether it belongs to a connection that exists: a SYN-ACK."""
        return self.answer_from is not None


def unjudged(rule: FilterRule, packet: Packet) -> str | None:
    """What the rule asks for that was not checked: ``«meta skuid 1000»``; None where everything was."""
    if rule.limit:
        return "its limit"
    if rule.ports and packet.port is None:
        return "the destination port"
    if packet.answer_from is None and source_ports(rule) is not None:
        return "the source port"
    if (rule.destinations and packet.destination is None) or (rule.sources and packet.source is None):
        return "the address"
    text = conditions(rule.text) if rule.verdict == "vmap" else _VERDICT.sub("", NO_CONDITION.sub(" ", rule.text))
    rest = _CHECKED.sub(" ", _without_known_interfaces(NO_CONDITION.sub(" ", text), packet)).split()
    return f"«{' '.join(rest)}»" if rest else None


def source_ports(rule: FilterRule) -> re.Match[str] | None:
    """Where it asks for source ports; comments are no condition."""
    return _SOURCE_PORTS.search(NO_CONDITION.sub(" ", rule.text))


def fits_interfaces(rule: FilterRule, packet: Packet) -> bool:
    """Whether no interface that it names is another than the packet's, as far as that is known."""
    return all(holds is not False for _, holds in _interfaces(NO_CONDITION.sub(" ", rule.text), packet))


def _without_known_interfaces(text: str, packet: Packet) -> str:
    for condition, holds in _interfaces(text, packet):
        if holds:
            text = text.replace(condition, " ", 1)
    return text


def _interfaces(text: str, packet: Packet) -> Iterator[tuple[str, bool | None]]:
    for found in _INTERFACE.finditer(text):
        side, names = found[1] or found[5], found[3] or found[6]
        holds = _is_among(packet.into if side == "i" else packet.out, names, loopback=packet.loopback)
        yield found[0], holds if holds is None else holds != bool(found[2] or found[4])


def _is_among(interface: str | None, names: str, *, loopback: bool) -> bool | None:
    wanted = [name.strip('"') for name in names.strip("{} ").split(", ")]
    if loopback:
        interface = "lo"
    if "@" in names or (interface is None and set(wanted) != {"lo"}):
        return None
    return interface is not None and any(_is_called(interface, name) for name in wanted)


def _is_called(interface: str, name: str) -> bool:
    """Of nftables ``eth*`` is a beginning, of iptables ``eth+``."""
    return interface.startswith(name[:-1]) if name.endswith(("*", "+")) else interface == name
