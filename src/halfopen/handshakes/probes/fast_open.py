"""What became of Fast Open (RFC 7413): local reasons first, then the server's and the path's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import duration, plural

if TYPE_CHECKING:
    from halfopen.model.probe import FastOpenCounts, FastOpenLocal, ProbeResult, ProbeSummary


def fast_open_headline(result: ProbeResult) -> str | None:
    """«Fast Open: 2 bytes in the SYN, acknowledged»; None where it was not asked for, or no SYN was sent."""
    report = result.fast_open
    if report is None or not result.handshake.syn_sent:
        return None
    if report.disabled:
        return "Fast Open is off here"
    if result.fast_open_withheld:
        return "Fast Open: no data in the SYN"
    if report.syn_data_bytes is None:
        return "Fast Open: asked for a cookie"
    carried = f"Fast Open: {plural(report.syn_data_bytes, 'byte')} in the SYN"
    if report.accepted:
        return f"{carried}, acknowledged"
    if not result.established:
        return carried
    eaten = report.failure == "syn_retransmitted"
    return f"{carried}, eaten: sent again without" if eaten else f"{carried}, not acknowledged"


def local_reasons(local: FastOpenLocal) -> list[str]:
    """Why this host may not do it, whatever the server can; nothing where it may.

    Of the pause after a black hole the connects themselves tell: how long it lasts is nowhere to be read, and the
    counter of black holes stays when it is over.
    """
    if local.client_enabled is not False:
        return []
    setting = f"bit 0x1 is not set in net.ipv4.tcp_fastopen, which is {local.setting}"
    return [f"Fast Open is off for clients on this host: {setting}."]


def fast_open_verdict(counts: FastOpenCounts) -> str | None:
    """One sentence on all connects to one address: cookie, use, and who is in the way; None where none was tried.

    Of the server only connects tell that were answered by a SYN-ACK: an RST, an ICMP error and silence are the same
    with Fast Open and without.
    """
    if not counts.tried:
        return None
    if counts.accepted:
        works = plural(counts.carried, "SYN")
        return f"Fast Open works: the server acknowledged the data in {counts.accepted} of {works}."
    if counts.eaten:
        return _EATEN
    if counts.carried_established:
        return _NOT_TAKEN
    if not counts.established:
        return _UNANSWERED
    if counts.carried:
        return _COOKIE_ONLY
    return _without_data(counts)


def _without_data(counts: FastOpenCounts) -> str:
    """Of SYNs that carried no data, and were answered."""
    asked = counts.established - counts.withheld
    if not asked:
        return _WITHHELD
    return _NO_COOKIE if asked > 1 else _ASKED


_EATEN = (
    "SYNs with data are lost and sent again without: something on the path, or the server, drops them. Every such "
    "connect costs a second: leave Fast Open off here."
)
_NOT_TAKEN = (
    "The server does not take the data: it answers the SYN alone. Its cookie key has changed (servers behind a "
    "balancer need one key), Fast Open is off on this port (a cookie counts for all ports of an address), or its queue "
    "is full."
)
_UNANSWERED = "Nothing is known of the server's Fast Open: no connect that asked for it was completed."
_COOKIE_ONLY = (
    "Nothing is known of the server's Fast Open but that this host has a cookie: no connect with data in the SYN was "
    "completed."
)
_WITHHELD = (
    "Nothing is known of the server's Fast Open: by the word of this host's kernel no SYN asked for a cookie. It "
    "leaves Fast Open out for a time after a black hole (net.ipv4.tcp_fastopen_blackhole_timeout_sec, 0 for never; "
    "writing it ends the pause); before Linux 5.5 it does not tell."
)
_NO_COOKIE = (
    "The server gives no cookie: its listener has no TCP_FASTOPEN, net.ipv4.tcp_fastopen there lacks bit 0x2, or the "
    "path strips the option."
)
_ASKED = "A cookie was asked for; whether one was given shows in the next connect."


def gain(ordinary: ProbeSummary, fast_open: ProbeSummary) -> str | None:
    """What it saves until the first byte, where both were measured, and the server took most of the data."""
    counts = fast_open.fast_open
    if counts is None or 2 * counts.accepted <= counts.carried_established:
        return None
    one, other = _to_first_byte(ordinary), _to_first_byte(fast_open)
    if one is None or other is None:
        return None
    less = one - other
    saved = f"saves {duration(less)}" if less > 0 else "saves nothing"
    sentence = (
        f"To the first byte at the median: {duration(one)} ordinarily, {duration(other)} with Fast Open: it {saved}."
    )
    return sentence if min(_answers(ordinary), _answers(fast_open)) >= _ENOUGH else f"{sentence} {_FEW}"


#: Fewer first bytes than these say little of a median: the first connect of a run alone is often slower.
_ENOUGH = 10
_FEW = "So few connects say little of it."


def _answers(summary: ProbeSummary) -> int:
    return summary.first_byte_us.count if summary.first_byte_us else 0


def _to_first_byte(summary: ProbeSummary) -> float | None:
    connect, first_byte = summary.connect_us, summary.first_byte_us
    if connect is None or first_byte is None or connect.p50 is None or first_byte.p50 is None:
        return None
    return connect.p50 + first_byte.p50
