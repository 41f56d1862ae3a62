"""What the oracle says of a stream, in our words.

The oracle walks over tshark's fields of every packet and decides by sequence numbers. Its words are not ours,
and of some things it says nothing: a field that is not in the answer of :func:`expected` is not compared. Times are
integers, nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Stream = dict[str, Any]

#: The oracle's outcome → ours. Where several can follow, what the stream shows later decides: :func:`_outcome`.
OUTCOME = {
    "completed": "established",
    "simultaneous_open": "established",
    "split_handshake": "established",
    "refused": "refused",
    "unanswered": "unanswered",
    "icmp_unreachable": "unreachable",
    "half_open": "half_open",
    "client_abort": "reset_by_client",
    "server_reset": "reset_by_server",
    "synack_only": "partial",
}
#: The oracle's close → ours, with the side that sent the RST.
CLOSE = {
    "none": (None, None),
    "fin_both_acked": ("fin", None),
    "fin_both": ("fin", None),
    "fin_one": ("fin", None),
    "rst_c": ("rst", "client"),
    "rst_s": ("rst", "server"),
}
SIDE = {None: None, "c": "client", "s": "server", "both": "both"}
#: tshark's layer → our tunnel. `ip:ip` and `ip:ipv6` are told by their neighbours.
TUNNEL = {"mpls": "mpls", "pppoes": "pppoe", "gre": "gre", "vxlan": "vxlan"}
#: Option kinds with a field of their own, or no meaning beyond filling (IANA, TCP parameters).
NAMED_KINDS = {0, 1, 2, 3, 4, 5, 8, 19, 29, 30, 34, 254}
#: No stack sends a SYN again sooner, nor does any path take longer between two points of one capture.
COPY_NS = 10_000_000


@dataclass(frozen=True)
class Transmissions:
    """When something was sent; the same packet captured again behind it is left out."""

    times: tuple[int, ...]
    copies: int

    @classmethod
    def of(cls, captured: Iterable[int], *, copied: bool) -> Transmissions:
        """From the time of every packet, of which some are copies where the oracle says so (``captured_twice``)."""
        times: list[int] = []
        last, copies = None, 0
        for time in captured:
            if copied and last is not None and time - last < COPY_NS:
                copies += 1
            else:
                times.append(time)
            last = time
        return cls(tuple(times), copies)


def nanoseconds(seconds: str | None) -> int | None:
    """A decimal of the oracle; an empty one is unknown, as is the time of a pcapng simple packet block."""
    return int(Decimal(seconds) * 10**9) if seconds else None


def expected(stream: Stream, doubts: set[str]) -> dict[str, Any]:
    """What our record of the stream has to hold: {field: value}.

    Args:
        stream: the oracle's, of any outcome but ``midstream``.
        doubts: the kinds of doubt that it has about this stream.
    """
    copied = "captured_twice" in doubts
    syns = _transmissions(stream, "syn_time", "syn_retrans_times", copied=copied)
    syn_acks = _transmissions(stream, "synack_time", "synack_retrans_times", copied=copied)
    wanted: dict[str, Any] = {
        "client": stream["client"]["ip"],
        "client_port": stream["client"]["port"],
        "server": stream["server"]["ip"],
        "server_port": stream["server"]["port"],
        "vlan": [int(tag) for tag in stream["vlans"]],
        "tunnel": _tunnel(stream["stack"].split(":")),
        "outcome": _outcome(stream),
        "simultaneous": stream["outcome"] in {"simultaneous_open", "split_handshake"},
        "syn_sent": stream["n_syn"] - syns.copies,
        "syn_ack_sent": stream["n_synack"] - syn_acks.copies,
        "isn_client": stream["isn_c"],
        "isn_server": stream["isn_s"],
        "frame_syn": stream["syn_frame"],
        "frame_syn_ack": stream["synack_frame"],
        "frame_ack": stream["ack_frame"],
        "syn_data_bytes": stream["syn_data"] if stream["syn_frame"] else None,
        "syn_to_syn_ack_us": _latency(stream, "rtt_syn_synack"),
        "syn_ack_to_ack_us": _latency(stream, "rtt_synack_ack"),
        "handshake_us": _latency(stream, "rtt_syn_ack"),
        "anomaly syn_ack_wrong_ack": "synack_acks_wrong_number" in doubts,
        "anomaly syn_retransmitted": stream["n_syn"] - syns.copies > 1,
        "anomaly syn_ack_retransmitted": stream["n_synack"] - syn_acks.copies > 1,
        "anomaly captured_twice": bool(syns.copies or syn_acks.copies),
    }
    if syns.times:
        wanted["start_ns"] = syns.times[0]
    wait = _retransmit_wait(syns, stream)
    if wait is not None:
        wanted["retransmit_wait_us"] = wait
    return wanted | _options(stream) | _end(stream) | _volume(stream)


def _transmissions(stream: Stream, first: str, again: str, *, copied: bool) -> Transmissions:
    times = [nanoseconds(time) for time in (stream[first], *stream[again])]
    return Transmissions.of(sorted(time for time in times if time is not None), copied=copied)


def _latency(stream: Stream, name: str) -> int | None:
    """A difference of times; tshark prints 0 for one between packets that have none (pcapng simple packet blocks)."""
    return nanoseconds(stream[name]) if stream["first_time"] else None


def _outcome(stream: Stream) -> str:
    theirs = stream["outcome"]
    if theirs == "bad_synack":
        return "reset_by_client" if stream["rst_from"] == "c" else "unanswered"
    if theirs in {"one_sided", "synack_missed"}:
        return "established" if stream["ack_frame"] else "unanswered"
    if theirs == "synack_first":
        return "established" if stream["syn_frame"] else "partial"
    return OUTCOME[theirs]


def _retransmit_wait(syns: Transmissions, stream: Stream) -> int | None:
    """First SYN to the last one before the SYN-ACK. None where the oracle does not know which one was answered."""
    answer = nanoseconds(stream["synack_time"])
    before = [time for time in syns.times if answer is not None and time <= answer]
    return before[-1] - before[0] if before else None


def _tunnel(layers: list[str]) -> str | None:
    names = [TUNNEL[layer] for layer in layers if layer in TUNNEL]
    inner = layers[-2] if len(layers) > 1 else ""
    if layers[-3:-2] == ["ip"]:
        names.append("ip6ip" if inner == "ipv6" else "ipip")
    return "+".join(names) or None


def _options(stream: Stream) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for side, options, flags, window in (
        ("client", stream["syn_options"], stream["syn_flags"], stream["syn_win"]),
        ("server", stream["synack_options"], stream["synack_flags"], stream["synack_win"]),
    ):
        if options is not None:
            fields = _side(options, int(flags, 16)) | {"window": window}
            wanted |= {f"{side}_options.{name}": value for name, value in fields.items()}
    if "client_options.mss" in wanted:
        wanted["client_options.ecn"] = stream["ecn_setup"]
    if "server_options.mss" in wanted:
        wanted["server_options.ecn"] = stream["ecn_agreed"]
    return wanted


def _side(options: Mapping[str, Any], flags: int) -> dict[str, Any]:
    fast_open = options.get("tfo")
    return {
        "mss": options.get("mss"),
        "window_scale": options.get("ws"),
        "sack_permitted": bool(options.get("sack_perm")),
        "timestamps": "tsval" in options,
        "fast_open": fast_open and ("request" if fast_open == "request" else "cookie"),
        "mptcp": "mptcp" in options,
        "ace": flags >> 6 & 7,
        "unknown_options": sum(kind not in NAMED_KINDS for kind in options.get("kinds", ())),
    }


def _end(stream: Stream) -> dict[str, Any]:
    """How the connection ended. Of one that never was (or whose begin is not there) our record says nothing."""
    if _outcome(stream) not in {"established", "partial"}:
        return {"close": None, "closed_by": None, "time_wait": None}
    close, by_reset = CLOSE[stream["close"]]
    return {
        "close": close,
        "closed_by": SIDE[stream["first_fin"]] or by_reset,
        "time_wait": SIDE[stream["time_wait"]],
    }


def _volume(stream: Stream) -> dict[str, Any]:
    """Bytes and duration, where tshark saw every byte once: it adds the lengths of segments, we measure the stream."""
    if stream["ts_analysis"] or not stream["first_time"]:
        return {}
    wanted = {"client_bytes": stream["bytes_c"], "server_bytes": stream["bytes_s"]}
    first, last = nanoseconds(stream["first_time"]), nanoseconds(stream["last_time"])
    if _outcome(stream) == "established" and first is not None and last is not None:
        wanted["duration_us"] = last - first
    return wanted


def measured(record: dict[str, Any], field: str) -> object:
    """The value of our record for a field of :func:`expected`."""
    _kind, _, name = field.partition(" ")
    if name:
        return name in record["anomalies"]
    outer, _, inner = field.partition(".")
    value = record[outer]
    if inner:
        return None if value is None else value[inner]
    return round(value * 1000) if field.endswith("_us") and value is not None else value
