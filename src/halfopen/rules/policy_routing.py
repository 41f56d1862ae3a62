"""Rules that choose the table of routes (``ip rule``): does one apply to a packet?

Of three answers: yes, no, and «not judged», where a rule asks for what a snapshot does not hold. Nothing is concluded
from a rule that is not judged, neither that it applies nor that it does not (``net/core/fib_rules.c``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.network import RoutingRule
    from halfopen.model.snapshot import NetNamespace

IPPROTO_TCP = 6
#: RT_TABLE_LOCAL, _MAIN and _DEFAULT: the tables of the three rules that every namespace begins with, in their order.
TABLES = (255, MAIN := 254, 253)
_PROTOCOLS = {IPPROTO_TCP: "tcp", 17: "udp"}
_NAMES = {255: "local", 254: "main", 253: "default"}
#: Rules of a packet filter that give a packet a mark: ``meta mark set 1``, ``-j MARK``, ``-j CONNMARK``.
_MARKS = re.compile(r"\bmark set\b|-j (CONN)?MARK\b")


@dataclass(frozen=True, slots=True)
class Flow:
    """A packet for which a route is looked for."""

    destination: str
    source: str | None = None
    """None: connect() has not chosen one yet, so that no rule about sources applies."""
    port: int | None = None
    """Destination port; None: not known."""
    forwarded: bool = False
    """It came in by an interface that is not known; else it is this host's own."""
    mark: int = 0
    """``SO_MARK`` of the socket; nothing where it is forwarded."""
    interface: str | None = None
    """The interface that the socket is bound to, where it is; nothing where it is forwarded."""


def text_of(rule: RoutingRule) -> str:
    """As ``ip rule`` has it: ``from 10.0.0.0/8 fwmark 0x1/0xff lookup 100``."""
    return " ".join(_words(rule))


def _words(rule: RoutingRule) -> Iterator[str]:
    if rule.inverted:
        yield "not"
    yield f"from {rule.source or 'all'}"
    if rule.destination is not None:
        yield f"to {rule.destination}"
    if rule.mark is not None:
        mask = "" if rule.mark_mask in {None, 0xFFFFFFFF} else f"/{rule.mark_mask:#x}"
        yield f"fwmark {rule.mark:#x}{mask}"
    protocol = None if rule.protocol is None else _PROTOCOLS.get(rule.protocol, rule.protocol)
    for word, value in (("iif", rule.input), ("oif", rule.output), ("ipproto", protocol)):
        if value is not None:
            yield f"{word} {value}"
    if rule.ports is not None:
        low, high = rule.ports
        yield f"dport {low}" if low == high else f"dport {low}-{high}"
    yield from (f"{condition} …" for condition in rule.other)
    yield from _action(rule)


def _action(rule: RoutingRule) -> Iterator[str]:
    if rule.action == "lookup":
        yield "lookup [l3mdev-table]" if rule.l3mdev else f"lookup {_NAMES.get(rule.table, rule.table)}"
    else:
        yield f"goto {rule.goto}" if rule.action == "goto" else rule.action
    if rule.suppress_prefix_length is not None:
        yield f"suppress_prefixlength {rule.suppress_prefix_length}"


def applies(rule: RoutingRule, flow: Flow, namespace: NetNamespace) -> bool | None:
    """Whether a rule of the flow's family is for it; None: that is not judged."""
    conditions = tuple(_conditions(rule, flow, namespace))
    if any(condition is False for condition in conditions):
        found: bool | None = False
    else:
        found = None if None in conditions else True
    return found if found is None else found != rule.inverted


def _conditions(rule: RoutingRule, flow: Flow, namespace: NetNamespace) -> Iterator[bool | None]:
    if rule.source is not None:
        yield flow.source is not None and _inside(flow.source, rule.source)
    if rule.destination is not None:
        yield _inside(flow.destination, rule.destination)
    if rule.mark is not None:
        # A socket has no mark unless its program, as root, gives it one; a mark stays in its namespace.
        mark = 0 if flow.forwarded else flow.mark
        yield (rule.mark ^ mark) & (rule.mark_mask or 0) == 0 if _keeps_its_mark(namespace) else None
    if rule.input is not None:
        yield rule.input == "lo" if not flow.forwarded else False if rule.input == "lo" else None
    if rule.output is not None:
        yield not flow.forwarded and rule.output == flow.interface
    if rule.l3mdev:
        yield None if flow.forwarded else False
    if rule.protocol is not None:
        yield rule.protocol == IPPROTO_TCP
    if rule.ports is not None:
        yield None if flow.port is None else rule.ports[0] <= flow.port <= rule.ports[1]
    if rule.other:
        yield None


def _inside(address: str, prefix: str) -> bool | None:
    try:
        return ip_address(address.partition("%")[0]) in ip_network(prefix, strict=False)
    except ValueError:  # a snapshot may say anything
        return None


def _keeps_its_mark(namespace: NetNamespace) -> bool:
    """Whether no rule of the packet filter can have given it another."""
    rules = namespace.packet_filter
    return rules is not None and not rules.rules_left_out and not any(_MARKS.search(rule.text) for rule in rules.rules)
