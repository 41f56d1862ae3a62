"""Verdict maps of nftables: ``ct state vmap { established : accept, new : jump fresh }``, looked up for a packet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.network import FilterRule
    from halfopen.rules.filter_conditions import Packet

_KEY = re.compile(r"(?<!\S)(ct state|tcp dport|meta l4proto|ip protocol|ip6 nexthdr|[io]if(name)?|\S+)$")
#: What is met where no other key is.
EVERYTHING = "*"
_COMMENT = re.compile(r'comment "[^"]*"')
_PROTOCOL = frozenset({"meta l4proto", "ip protocol", "ip6 nexthdr"})


def conditions(text: str) -> str:
    """What a rule with a map asks for beside it."""
    return _KEY.sub("", text.partition(" vmap ")[0])


def outcomes(rule: FilterRule, packet: Packet) -> tuple[list[str], bool]:
    """What its map may say of the packet, and whether that is all that is known; nothing where no key is met."""
    before, _, written = _COMMENT.sub("", rule.text).partition(" vmap ")
    if not written.startswith("{"):
        return ["drop"], False  # a named map is not in a snapshot: it may say anything
    expression = _KEY.search(before)
    keys, entries = _key("" if expression is None else expression[1], packet), _entries(written)
    if keys is None:
        return list(dict.fromkeys(entries.values())), False
    ordered = sorted(entries, key=lambda key: key == EVERYTHING)
    return [entries[key] for key in ordered if key in keys or _covers(key, keys)][:1], True


def _covers(key: str, values: frozenset[str]) -> bool:
    """``80-90`` is a key of each of these ports, ``eth*`` of what begins so, ``*`` of everything."""
    if key.endswith("*"):
        return any(value.startswith(key[:-1]) for value in values)
    low, _, high = key.partition("-")
    numbers = [int(value) for value in values if value.isdigit()]
    return low.isdigit() and high.isdigit() and any(int(low) <= number <= int(high) for number in numbers)


def _key(expression: str, packet: Packet) -> frozenset[str] | None:
    """The packet's value of what the map is asked for; None: not known."""
    if expression == "ct state":
        return frozenset({"established" if packet.is_answer else "new"})
    if expression == "tcp dport":
        return None if packet.port is None else frozenset({str(packet.port)})
    if expression in _PROTOCOL:
        return frozenset({"tcp", "6"})
    if expression[:3] not in {"iif", "oif"}:
        return None
    side = "lo" if packet.loopback else packet.into if expression.startswith("i") else packet.out
    return None if side is None else frozenset({side})


def _entries(braces: str) -> dict[str, str]:
    """``{ 22 : accept, 80 : jump web }``."""
    found = {}
    for entry in braces.partition("}")[0].strip("{ ").split(","):
        key, _, verdict = entry.rpartition(" : ")
        if key:
            found[key.strip().strip('"')] = verdict.strip()
    return found
