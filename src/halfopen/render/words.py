"""The words of the screens for names of the records."""

from __future__ import annotations

OUTCOME_WORDS = {
    "established": "established",
    "refused": "refused",
    "unreachable": "unreachable",
    "unanswered": "unanswered",
    "half_open": "half-open",
    "reset_by_client": "reset by client",
    "reset_by_server": "reset by server",
    "timeout": "timed out",
    "partial": "partial",
}

OUTCOME_MEANING = {
    "refused": "RST to the SYN",
    "unreachable": "ICMP error for the SYN",
    "unanswered": "no reply seen",
    "half_open": "SYN-ACK sent, its ACK never seen",
    "reset_by_client": "the client's RST",
    "reset_by_server": "RST after its SYN-ACK",
    "timeout": "the caller gave up",
    "partial": "the capture begins inside",
}


def outcome_role(outcome: str) -> str:
    """The colour of an outcome."""
    return "good" if outcome == "established" else "dim" if outcome == "partial" else "bad"
