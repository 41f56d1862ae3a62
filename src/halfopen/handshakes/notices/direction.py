"""What of the traffic a capture shows: the silence of a side that was not captured is none.

A filter on the SYN flag and a mirror port of one direction are the usual reasons.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.summary import Summary

#: Handshakes without a captured answer among the established (or partial) ones, from which on the capture as a whole
#: holds one direction.
ONE_DIRECTION_MIN = 0.5

#: Share of attempts of which no SYN was captured, from which on the clients' direction is missing as a whole.
NO_SYN_MIN = 0.9

#: Share of attempts with a repeated SYN, from which on nothing but silence explains a capture without any answer: a
#: client that gets none sends its SYN again after 1 s (RFC 6298 section 2.1).
REPEATED_MIN = 0.5


def only_syn_segments(summary: Summary) -> bool:
    """Whether no segment but SYN and SYN-ACK was captured although there were answers.

    A capture filter on the SYN flag keeps the third packet of every handshake out.
    """
    if summary.filter is not None:  # the segments of all handshakes against the SYNs of some
        return False
    half_open = summary.outcomes.get("half_open", 0)
    if summary.retransmission.syn_ack_handshakes * 2 > half_open:
        return False  # servers that repeat their SYN-ACKs show that the ACKs never came
    answers = summary.syn_ack_sent > 0 and half_open > 0
    return answers and summary.tcp_segments == summary.syn_sent + summary.syn_ack_sent


def only_first_syns(summary: Summary) -> bool:
    """Whether no segment but SYNs was captured, and few were repeated: they may all have been answered."""
    if summary.filter is not None or summary.tcp_segments != summary.syn_sent:
        return False
    unanswered = summary.outcome("unanswered")
    had_time = unanswered - summary.undecided.get("unanswered", 0)
    return unanswered == summary.handshakes and summary.retransmission.syn_handshakes < REPEATED_MIN * had_time


def only_clients(summary: Summary) -> bool:
    """Whether what the servers sent is missing as a whole, by what the clients acknowledge."""
    blind, established = summary.anomalies.get("one_direction_captured", 0), summary.outcome("established")
    return summary.syn_ack_sent == 0 and 0 < blind >= ONE_DIRECTION_MIN * established


def only_servers(summary: Summary) -> bool:
    """Whether what the clients sent is missing as a whole."""
    blind, partial = summary.anomalies.get("one_direction_captured", 0), summary.outcome("partial")
    return 0 < partial >= NO_SYN_MIN * summary.handshakes and blind >= ONE_DIRECTION_MIN * partial


def shows_no_answers(summary: Summary) -> bool:
    """Whether answers would not be in this capture, had there been any."""
    return only_first_syns(summary) or only_clients(summary)
