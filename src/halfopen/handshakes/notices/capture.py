"""What the capture itself lacks: damage, one direction, a filter, what did not fit into memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.handshakes.notices.direction import (
    NO_SYN_MIN,
    only_clients,
    only_first_syns,
    only_servers,
    only_syn_segments,
)
from halfopen.handshakes.notices.notice import Notice, unknown_outcomes
from halfopen.model.quantity import grouped, listed, plural, share

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.summary import Summary

#: Damage by kind: what a person has to know, singular, plural, and what follows either. The worst comes first.
DAMAGE = {
    "cut_off": ("file ends", "files end", " inside a record (cut off, or still being written)"),
    "corrupt_record": ("corrupt record", "corrupt records", " skipped, some packets around it may be lost"),
    "corrupt_block": ("corrupt pcapng block", "corrupt pcapng blocks", " skipped"),
    "corrupt_compression": ("damaged place", "damaged places", " in a compressed stream, with data lost behind"),
    "read_error": ("read error", "read errors", ": what follows it is lost"),
    "unknown_interface": ("packet", "packets", " of an interface that the file does not describe"),
    "unknown_link_type": ("packet", "packets", " of a link layer that halfopen does not read"),
    "time_out_of_range": ("impossible time stamp", "impossible time stamps", ""),
    "link_truncated": ("packet", "packets", " cut inside the link-layer header"),
    "ip_truncated": ("packet", "packets", " cut inside the IP header"),
    "ip_malformed": ("malformed IP header", "malformed IP headers", ""),
    "tcp_truncated": ("packet", "packets", " cut inside the TCP header"),
    "tcp_malformed": ("malformed TCP header", "malformed TCP headers", ""),
    "options_truncated": ("SYN", "SYNs", " cut inside the options"),
    "options_malformed": ("SYN", "SYNs", " with malformed options"),
    "icmp_truncated": ("ICMP error", "ICMP errors", " too short to name its connection"),
    "tunnel_too_deep": ("packet", "packets", " in more tunnels than halfopen follows"),
    "fragment": ("later IP fragment", "later IP fragments", " without a TCP header"),
    "bad_ip_checksum": ("wrong IP checksum", "wrong IP checksums", ""),
    "bad_tcp_checksum": ("wrong TCP checksum", "wrong TCP checksums", ""),
}

#: Kinds that need no sentence: nothing of a handshake is lost with them.
HARMLESS = {"fragment", "bad_ip_checksum", "bad_tcp_checksum", "icmp_truncated"}

#: Kinds that a longer snapshot length (tcpdump -s) would have avoided.
SHORT_SNAPSHOT = {"link_truncated", "ip_truncated", "tcp_truncated", "options_truncated"}


def check(summary: Summary) -> Iterator[Notice]:
    """Caveats first, then facts about the capture."""
    yield from _damage(summary)
    yield from _direction(summary)
    yield from _memory(summary)
    yield from _clock(summary)
    yield from _facts(summary)


def losses(summary: Summary) -> Iterator[Notice]:
    """What is lost before there is a record: packets of a damaged capture, and what did not fit into memory."""
    yield from _damage(summary)
    yield from _evicted(summary)


def damage_words(kind: str, count: int) -> str:
    """«2 files end inside a record (…)»; the bare name for a kind of a newer core."""
    one, many, rest = DAMAGE.get(kind, (kind.replace("_", " "), kind.replace("_", " "), ""))
    return f"{grouped(count)} {one if count == 1 else many}{rest}"


def _damage(summary: Summary) -> Iterator[Notice]:
    harm = {kind: count for kind, count in summary.defects.items() if count and kind not in HARMLESS}
    if not harm:
        return
    kinds = [kind for kind in DAMAGE if kind in harm] + sorted(harm.keys() - DAMAGE.keys())
    words = listed([damage_words(kind, harm[kind]) for kind in kinds])
    hint = "Capture with `tcpdump -s 128` or more to keep whole headers." if harm.keys() & SHORT_SNAPSHOT else ""
    text = f"The capture is damaged or incomplete: {words}."
    yield Notice("capture-damaged", "caveat", text, hint, weight=sum(harm.values()))


def _direction(summary: Summary) -> Iterator[Notice]:
    partial = summary.outcome("partial")
    blind = summary.anomalies.get("one_direction_captured", 0)
    if only_syn_segments(summary):
        text = "The capture holds only SYNs and SYN-ACKs: whether a handshake completed cannot be told."
        hint = "A filter on the SYN flag leaves the third packet out; capture `tcp`, or at least the ACKs too."
        yield Notice("only-syns-captured", "caveat", text, hint, weight=summary.handshakes)
    elif only_first_syns(summary):
        text = "The capture holds nothing but SYNs, most of them sent once: whether they were answered cannot be told."
        hint = (
            "A filter on the SYN flag alone leaves the answers out, and so does a capture of one direction; use `tcp`."
        )
        yield Notice("only-syns-captured", "caveat", text, hint, weight=summary.handshakes)
    elif only_servers(summary):
        text = "Only the servers' packets are in the capture: connects can be judged in part, times not at all."
        yield Notice("one-direction", "caveat", text, weight=partial)
    elif only_clients(summary):
        lost = "which connects failed, and how long any took, cannot be told"
        text = f"Only the clients' packets are in the capture: {lost}."
        yield Notice("one-direction", "caveat", text, weight=blind)
    elif blind:
        text = f"Of {plural(blind, 'handshake')} only one direction was captured: no times."
        yield Notice("one-direction", "caveat", text, weight=blind)
    elif partial and summary.syn_sent == 0 and partial >= NO_SYN_MIN * summary.handshakes:
        text = "No SYN is in the capture: it begins too late, or holds only the servers' packets."
        yield Notice("one-direction", "caveat", text, weight=partial)


def _evicted(summary: Summary) -> Iterator[Notice]:
    if summary.evicted:
        lost = plural(summary.evicted, "connection")
        text = f"{lost} did not fit into the flow table: judged by what had been seen so far."
        yield Notice("evicted", "caveat", text, "`--max-flows` gives the table more room.", weight=summary.evicted)


def _memory(summary: Summary) -> Iterator[Notice]:
    yield from _evicted(summary)
    folded = summary.other_endpoints.folded if summary.other_endpoints else 0
    if folded:
        text = (
            f"{plural(folded, 'rarely seen endpoint')} {_were(folded)} summed up, because there are too many to keep."
        )
        yield Notice("endpoints-folded", "caveat", text, weight=folded)
    unknown = unknown_outcomes(summary)
    if unknown:
        total, names = sum(unknown.values()), listed(sorted(unknown))
        text = f"{plural(total, 'handshake')} ended in a way that this version has no words for: {names}."
        yield Notice("unknown-outcome", "caveat", text, weight=total)


def _clock(summary: Summary) -> Iterator[Notice]:
    back = max(summary.latency_us.syn_to_syn_ack.negative, summary.latency_us.syn_ack_to_ack.negative)
    if back:
        text = f"The clock of the capture stepped back during {plural(back, 'handshake')}: their times count as 0."
        yield Notice("clock-stepped-back", "caveat", text, weight=back)


def _facts(summary: Summary) -> Iterator[Notice]:
    twice, reordered = summary.anomalies.get("captured_twice", 0), summary.anomalies.get("reordered", 0)
    if twice:
        text = f"Packets of {plural(twice, 'handshake')} were captured twice; each counts once."
        hint = "Usual with `-i any`, a bridge, or a mirror port."
        yield Notice("captured-twice", "fact", text, hint, weight=twice)
    if reordered:
        text = f"Packets of {plural(reordered, 'handshake')} were captured out of order; the order was restored."
        yield Notice("reordered", "fact", text, weight=reordered)
    partial = summary.outcome("partial")
    if partial and summary.syn_sent:
        text = (
            f"{plural(partial, 'handshake')} ({share(partial, summary.handshakes)}) had begun before the capture did."
        )
        yield Notice("partial", "fact", text, weight=partial)
    yield from _under_way(summary)


def _under_way(summary: Summary) -> Iterator[Notice]:
    """Attempts that the end of the capture cut short, at endpoints that answer others."""
    rows = [row for row in summary.endpoints if row.answered]
    waiting = sum(sum(row.undecided.values()) for row in rows)
    if waiting and not only_syn_segments(summary):
        text = f"{plural(waiting, 'handshake')} {_were(waiting)} under way when the capture ended."
        yield Notice("under-way", "fact", text, "They count as unanswered or half-open.", weight=waiting)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
