"""The numbers of the connects to one address in words: how they ended, and how many SYNs were lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import grouped, plural, share

if TYPE_CHECKING:
    from halfopen.model.probe import Ending, ProbeSummary

#: How those ended that did not connect, in the words of their lines.
_ENDINGS: dict[Ending, str] = {
    "refused": "refused",
    "unreachable": "unreachable",
    "timeout": "without an answer",
    "not_sent": "not sent",
    "failed": "failed",
}


def ended(summary: ProbeSummary) -> list[str]:
    """«2 of 4 connected», «1 of them answered», «2 refused»: every connect is counted, whichever way it ended."""
    parts = [f"{grouped(summary.established)} of {grouped(summary.attempts)} connected"]
    if summary.satisfied < summary.established:
        parts.append(f"{grouped(summary.satisfied)} of them answered")
    counts = ((word, summary.endings.get(ending, 0)) for ending, word in _ENDINGS.items())
    return parts + [f"{grouped(count)} {word}" for word, count in counts if count]


def syns_lost(summary: ProbeSummary) -> str:
    """«no SYN lost», «1 of 5 SYNs lost (20 %)»."""
    if not summary.syn_sent:
        return "no SYN was sent"
    if not summary.syn_lost:
        return "no SYN lost"
    lost, sent = summary.syn_lost, summary.syn_sent
    return f"{grouped(lost)} of {plural(sent, 'SYN')} lost ({share(lost, sent)})"
