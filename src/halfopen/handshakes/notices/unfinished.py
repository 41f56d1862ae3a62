"""Handshakes that stopped after the SYN-ACK: half-open, or reset by one of the two sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.direction import only_syn_segments
from halfopen.handshakes.notices.notice import AtEndpoints, Notice, connects_to, judged, one_a_row
from halfopen.handshakes.notices.ordinary import ordinary_endpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from halfopen.model.summary import Endpoint, Summary

REPEATED = (
    "The server repeated its SYN-ACK, so it did not take an ACK: lost, filtered or on another path; "
    "or never sent, as in a SYN scan."
)
NOT_REPEATED = (
    "The ACK was lost or took another path, a firewall dropped it or the SYN-ACK, or a SYN scan never sent it."
)
BY_CLIENT = "A SYN scanner, a client that had given up, or a host that never sent the SYN (a forged source)."
BY_SERVER = "The listener was closing, tcp_abort_on_overflow=1 met a full accept queue, or a firewall stepped in."


def check(summary: Summary) -> Iterator[Notice]:
    """One kind after the other."""
    if not only_syn_segments(summary):
        what = "stayed half-open: SYN-ACK sent, its ACK never seen"
        yield from _kind(summary, "half_open", what, _half_open)
    yield from _kind(summary, "reset_by_client", "{was} reset by the client before completion", lambda _: BY_CLIENT)
    yield from _kind(summary, "reset_by_server", "{was} reset by the server after its own SYN-ACK", lambda _: BY_SERVER)


def _kind(summary: Summary, outcome: str, what: str, hint: Callable[[Endpoint], str]) -> Iterator[Notice]:
    kind = outcome.replace("_", "-")

    def count(row: Endpoint) -> int:
        return row.outcomes.get(outcome, 0) - row.undecided.get(outcome, 0)

    def say(row: Endpoint) -> Notice:
        happened = what.format(was="was" if count(row) == 1 else "were")
        text = f"{connects_to(count(row), judged(row), row)} {happened}."
        return Notice(kind, "trouble", text, hint(row), weight=count(row))

    many = AtEndpoints(summary, kind, count, what.format(was="were").partition(":")[0])
    yield from one_a_row(ordinary_endpoints(summary), count, say, many)


def _half_open(row: Endpoint) -> str:
    return REPEATED if row.retransmission.syn_ack else NOT_REPEATED
