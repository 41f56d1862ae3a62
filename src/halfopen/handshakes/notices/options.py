"""What was odd about single handshakes, one sentence a kind of anomaly.

The table below is the whole subject: anomalies that other subjects tell better (retransmission, what was captured) are
not in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from halfopen.handshakes.notices.notice import Notice, Severity
from halfopen.model.quantity import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.summary import Summary


@dataclass(frozen=True, slots=True)
class _Words:
    severity: Severity
    what: str
    """After «3 handshakes », in words that fit one handshake, too."""
    hint: str = ""


ANOMALIES = {
    "syn_ack_wrong_ack": _Words(
        "trouble",
        "got a SYN-ACK that acknowledges something else than the SYN.",
        "The server, or a device before it, still held an older connection of these ports; or the answer was forged.",
    ),
    "ack_wrong_ack": _Words(
        "trouble",
        "saw an ACK that does not acknowledge the server's SYN-ACK.",
        "A stale or forged segment, or a device that rewrites sequence numbers in one direction only.",
    ),
    "isn_changed": _Words(
        "trouble",
        "got two SYN-ACKs with different sequence numbers.",
        "SYN cookies, two machines behind one address, or a device that answers in the server's place.",
    ),
    "blind_reset": _Words(
        "trouble",
        "met an RST whose numbers do not fit, and which was not believed.",
        "Forged, or sent by a device that lost track.",
    ),
    "blind_syn": _Words(
        "trouble",
        "met another SYN inside the open connection, which was not believed.",
        "Forged (RFC 5961): its sender went on with the connection.",
    ),
    "option_stripped": _Words(
        "trouble",
        "lost TCP options between SYN and SYN-ACK (window scale, SACK or timestamps).",
        "Turned off at the server, SYN cookies without timestamps, or a device that strips them.",
    ),
    "fast_open_fallback": _Words(
        "trouble",
        "had to send the data of the SYN again (Fast Open fell back).",
        "Cookie refused, the server's Fast Open queue full, or a device that drops data in a SYN.",
    ),
    "bad_checksum": _Words(
        "trouble", "had a wrong TCP checksum.", "Checksum offload looks the same in a capture of the sending host."
    ),
    "syn_with_fin_or_rst": _Words(
        "trouble", "began with a SYN that has FIN or RST set too.", "No TCP stack sends that: a scanner."
    ),
    "ttl_jump": _Words(
        "fact",
        "changed the TTL of one side midway.",
        "The route changed, or a device answered in the place of one end.",
    ),
    "split_handshake": _Words("fact", "took four steps: the server answered with a SYN of its own."),
    "syn_data_without_fast_open": _Words("fact", "carried data in a SYN without the Fast Open option."),
    "ecn_fallback": _Words(
        "fact",
        "dropped ECN in the repeated SYN.",
        "Usual after any lost SYN; it does not prove that ECN was the reason.",
    ),
    "port_reused": _Words("fact", "used a pair of addresses and ports again that the capture had seen before."),
}


def check(summary: Summary) -> Iterator[Notice]:
    """One notice for each kind of anomaly that occurred."""
    for name, words in ANOMALIES.items():
        count = summary.anomalies.get(name, 0)
        if count:
            text = f"{plural(count, 'handshake')} {words.what}"
            yield Notice(name.replace("_", "-"), words.severity, text, words.hint, weight=count)
    ignored = summary.fast_open.get("ignored", 0)
    if ignored:
        text = f"The server ignored the Fast Open option in {plural(ignored, 'handshake')}."
        hint = "Servers have it off unless the listener asks for it: TCP_FASTOPEN and net.ipv4.tcp_fastopen=3."
        yield Notice("fast-open-ignored", "fact", text, hint, weight=ignored)
