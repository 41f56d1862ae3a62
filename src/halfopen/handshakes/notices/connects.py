"""Connects that were turned away: by RST, or by an ICMP error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.notice import AtEndpoints, Notice, connects_to, judged, one_a_row, where
from halfopen.handshakes.notices.ordinary import ordinary_endpoints
from halfopen.knowledge.icmp import icmp_words
from halfopen.model.quantity import grouped, listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.handshake import Handshake
    from halfopen.model.summary import Endpoint, Summary


def check(summary: Summary) -> Iterator[Notice]:
    """Refused connects, then unreachable ones."""
    rows = ordinary_endpoints(summary)
    yield from one_a_row(rows, _refused, _say_refused, AtEndpoints(summary, "refused", _refused, "were refused"))
    sum_up = AtEndpoints(summary, "unreachable", _unreachable, "ended with an ICMP error")
    yield from one_a_row(rows, _unreachable, lambda row: _say_unreachable(summary, row), sum_up)


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
