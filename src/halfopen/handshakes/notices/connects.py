"""Connects that were turned away: by RST, or by an ICMP error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.notice import AtEndpoints, Notice, connects_to, judged, one_a_row, where
from halfopen.handshakes.notices.ordinary import ordinary_endpoints
from halfopen.model.quantity import grouped, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.handshake import Handshake
    from halfopen.model.summary import Endpoint, Summary

#: ICMP errors that end a connect, by (type, code): RFC 792, RFC 1812 section 5.2.7.1.
ICMP = {
    (3, 0): "network unreachable",
    (3, 1): "host unreachable",
    (3, 2): "protocol unreachable",
    (3, 3): "port unreachable",
    (3, 4): "fragmentation needed",
    (3, 5): "source route failed",
    (3, 6): "network unknown",
    (3, 7): "host unknown",
    (3, 9): "network administratively prohibited",
    (3, 10): "host administratively prohibited",
    (3, 13): "administratively prohibited",
    (11, 0): "TTL exceeded: a routing loop, or a path too long",
}

#: The same of ICMPv6: RFC 4443 section 3.
ICMP6 = {
    (1, 0): "no route to destination",
    (1, 1): "administratively prohibited",
    (1, 2): "beyond scope of source address",
    (1, 3): "address unreachable",
    (1, 4): "port unreachable",
    (1, 5): "source address failed policy",
    (1, 6): "route rejected",
    (2, 0): "packet too big",
    (3, 0): "hop limit exceeded: a routing loop, or a path too long",
}


def check(summary: Summary) -> Iterator[Notice]:
    """Refused connects, then unreachable ones."""
    rows = ordinary_endpoints(summary)
    yield from one_a_row(rows, _refused, _say_refused, AtEndpoints(summary, "refused", _refused, "were refused"))
    sum_up = AtEndpoints(summary, "unreachable", _unreachable, "ended with an ICMP error")
    yield from one_a_row(rows, _unreachable, lambda row: _say_unreachable(summary, row), sum_up)


def icmp_words(handshake: Handshake) -> str | None:
    """What the ICMP error said, or nothing when none is on record."""
    if handshake.icmp_type is None:
        return None
    return icmp_meaning(handshake.icmp_type, handshake.icmp_code or 0, v6=":" in handshake.server)


def icmp_meaning(icmp_type: int, icmp_code: int, *, v6: bool) -> str:
    """The words for a type and code, or the numbers where there are none."""
    return (ICMP6 if v6 else ICMP).get((icmp_type, icmp_code), f"ICMP type {icmp_type} code {icmp_code}")


def _refused(row: Endpoint) -> int:
    return row.outcomes.get("refused", 0)


def _say_refused(row: Endpoint) -> Notice:
    count, whole = _refused(row), judged(row)
    if count == whole:
        every = f"Every connect to {where(row)} was refused: {grouped(count)} of {grouped(whole)}."
        text = every if whole > 1 else f"The only connect to {where(row)} was refused."
        hint = "Nothing listens there, or a firewall answers with RST."
    else:
        text = f"{connects_to(count, whole, row)} {'was' if count == 1 else 'were'} refused."
        hint = "The listener was gone for a while, or something on the way answers with RST."
    return Notice("refused", "trouble", text, hint, weight=count)


def _unreachable(row: Endpoint) -> int:
    return row.outcomes.get("unreachable", 0)


def _say_unreachable(summary: Summary, row: Endpoint) -> Notice:
    count = _unreachable(row)
    errors = [item for item in summary.failed if _same(item, row) and item.outcome == "unreachable"]
    said = sorted({words for item in errors if (words := icmp_words(item))})
    senders = sorted({item.icmp_from for item in errors if item.icmp_from})
    text = f"{connects_to(count, judged(row), row)} ended with an ICMP error"
    text += f" ({listed(said)})" if said else ""
    text += f" from {listed(senders)}" if senders else ""
    return Notice("unreachable", "trouble", text + ".", _why(row, errors), weight=count)


def _why(row: Endpoint, errors: list[Handshake]) -> str:
    senders = {item.icmp_from for item in errors if item.icmp_from}
    if senders == {row.server}:
        return "The host itself answered: a REJECT rule of its packet filter, most likely."
    if senders and senders <= {item.client for item in errors}:
        return "The client's own host reported it: no route, or its neighbour does not answer ARP or ND."
    return ""


def _same(item: Handshake, row: Endpoint) -> bool:
    return (item.server, item.server_port) == (row.server, row.server_port)
