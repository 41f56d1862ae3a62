"""How full a SYN queue is, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.rules.listening import Listening

MAX_SYN_BACKLOG = "net.ipv4.tcp_max_syn_backlog"


def full(listening: Listening) -> bool:
    """Whether the next SYN meets a full queue: more requests than the backlog, per member (fact F4)."""
    return 0 < listening.syn_queue_limit <= listening.syn_queue


def half_open_evidence(listening: Listening) -> Iterator[Evidence]:
    """Half-open requests, their limit, and how many wait for an ACK that should have come."""
    yield Evidence("half-open requests", listening.syn_queue, "requests", "sock_diag, rows in SYN_RECV")
    yield Evidence("their limit", listening.syn_queue_limit, "requests", "sock_diag idiag_wqueue, and one more")
    if listening.syn_queue_retransmitted:
        what = "of which have had their SYN-ACK sent again"
        yield Evidence(what, listening.syn_queue_retransmitted, "requests", "sock_diag idiag_retrans")


def soft_limit(max_syn_backlog: int) -> int:
    """Requests that fit without cookies before unknown clients are dropped: three quarters, and one (fact F5)."""
    return max_syn_backlog - (max_syn_backlog >> 2) + 1
