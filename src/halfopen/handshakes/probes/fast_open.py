"""What became of Fast Open (RFC 7413): local reasons first, then the server's and the path's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import duration, plural

if TYPE_CHECKING:
    from halfopen.model.probe import FastOpenCounts, FastOpenLocal, ProbeResult, ProbeSummary


def fast_open_headline(result: ProbeResult) -> str | None:
    """«Fast Open: 2 bytes in the SYN, acknowledged»; None where it was not asked for."""
    report = result.fast_open
    if report is None:
        return None
    if report.disabled:
        return "Fast Open is off here"
    if report.syn_data_bytes is None:
        return "Fast Open: asked for a cookie"
    carried = f"Fast Open: {plural(report.syn_data_bytes, 'byte')} in the SYN"
    if report.accepted:
        return f"{carried}, acknowledged"
    if report.failure == "syn_retransmitted":
        return f"{carried}, eaten: sent again without"
    return f"{carried}, not acknowledged" if result.established else carried


def local_reasons(local: FastOpenLocal) -> list[str]:
    """Why this host may not do it, whatever the server can; nothing where it may."""
    reasons = []
    if local.client_enabled is False:
        reasons.append(
            "Fast Open is off for clients on this host: bit 0x1 is not set in net.ipv4.tcp_fastopen, which is "
            f"{local.setting}."
        )
    if local.blackhole_timeout_s and local.blackholes:
        reasons.append(
            f"This host has met {plural(local.blackholes, 'black hole')} for Fast Open since boot; after one it does "
            f"without for {local.blackhole_timeout_s} s or longer (net.ipv4.tcp_fastopen_blackhole_timeout_sec)."
        )
    return reasons


def fast_open_verdict(counts: FastOpenCounts) -> str | None:
    """One sentence on all connects to one address: cookie, use, and who is in the way; None where none was tried."""
    if not counts.tried:
        return None
    if counts.accepted:
        works = plural(counts.carried, "SYN")
        return f"Fast Open works: the server acknowledged the data in {counts.accepted} of {works}."
    if counts.eaten:
        return (
            "SYNs with data are lost and sent again without: something on the path, or the server, drops them. Every "
            "such connect costs a second: leave Fast Open off here."
        )
    if counts.carried:
        return (
            "The server does not take the data: it answers the SYN alone. Its cookie key has changed (servers behind a "
            "balancer need one key), Fast Open is off on this port (a cookie counts for all ports of an address), or "
            "its queue is full."
        )
    if counts.established > 1:
        return (
            "The server gives no cookie: its listener has no TCP_FASTOPEN, net.ipv4.tcp_fastopen there lacks bit 0x2, "
            "or the path strips the option."
        )
    return "A cookie was asked for; whether one was given shows in the next connect."


def gain(ordinary: ProbeSummary, fast_open: ProbeSummary) -> str | None:
    """What it saves until the first byte, where both were measured."""
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
