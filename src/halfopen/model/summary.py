"""The numbers of many handshakes, typed: the object ``halfopen.summary/1``.

The Rust core counts while it reads, in bounded memory; here its JSON becomes plain values that notices, screens and
pages are written from. Rules of the format: names end in their unit, unknown is ``None``, and in an object of counts
a name that is absent is 0 (use ``.get(name, 0)``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from halfopen.model.handshake import Handshake

SCHEMA = "halfopen.summary/1"

Counts = Mapping[str, int]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Input:
    """One file that was read."""

    path: str
    """As it was given; ``-`` is standard input. Hostile text: escape it before printing."""
    packets: int = 0
    """Packets read."""
    bytes: int = 0
    """Bytes read."""
    size: int | None = None
    """Bytes of the file, where known."""
    defects: Counts = field(default_factory=dict)
    """{kind: how many}: everything that was wrong with it."""
    failure: str | None = None
    """Why it was not read, where others were."""


@dataclass(frozen=True, slots=True)
class Latency:
    """The distribution of one time, microseconds. All ``None`` when ``count`` is 0."""

    count: int = 0
    mean_us: float | None = None
    min: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    max: float | None = None
    exact: bool | None = None
    """Whether the percentiles are exact; else within 1/4096 (totals) or 1/128 (endpoints)."""
    negative: int = 0
    """Values below zero, taken as 0: a clock stepped back."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Where the time of a handshake goes."""

    syn_to_syn_ack: Latency = Latency()
    """First SYN to first valid SYN-ACK."""
    syn_ack_to_ack: Latency = Latency()
    """First valid SYN-ACK to the client's ACK of it."""
    handshake: Latency = Latency()
    """First SYN to that ACK."""
    retransmit_wait: Latency = Latency()
    """First SYN to the SYN that was answered; 0 where the first one was."""
    answered_syn_to_syn_ack: Latency = Latency()
    """The SYN that was answered to its SYN-ACK: without the time lost to retransmission. Totals only."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Latencies:
        """From {metric: latency}."""
        return cls(**{name: _plain(Latency, (data or {}).get(name)) for name in _names(cls) if name in (data or {})})


@dataclass(frozen=True, slots=True)
class Retransmission:
    """SYNs and SYN-ACKs that were sent again."""

    syn: int = 0
    """Transmissions of SYNs beyond the first."""
    syn_ack: int = 0
    """Transmissions of SYN-ACKs beyond the first."""
    syn_handshakes: int = 0
    """Attempts with at least one SYN retransmission."""
    syn_ack_handshakes: int = 0
    """Attempts with at least one SYN-ACK retransmission."""
    answered: int = 0
    """Attempts whose wait is known."""
    waited: int = 0
    """Of them those that waited at all."""
    waits: tuple[tuple[int, int], ...] = ()
    """(seconds, attempts), ascending: the wait to the nearest of 0, 1, 2, … 15, 31, 63, 127 s."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> Retransmission:
        """From the JSON object, where ``waits`` is a list of {``seconds``, ``count``}."""
        waits = tuple((wait["seconds"], wait["count"]) for wait in (data or {}).get("waits") or ())
        return _plain(cls, data, waits=waits)


@dataclass(frozen=True, slots=True)
class Peak:
    """The busiest interval."""

    attempts: int
    """Attempts begun in it."""
    seconds: float
    """Its length."""
    at_ns: int | None = None
    """Its begin, nanoseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Split:
    """How the round trip splits at the capture point, over established attempts with one SYN-ACK."""

    judged: int = 0
    near_client: int = 0
    """SYN-ACK to ACK took at most 20 % of the time from the answered SYN to the ACK."""
    near_server: int = 0
    """SYN-ACK to ACK took at least 80 % of it."""


@dataclass(frozen=True, slots=True)
class Ttls:
    """TTLs or hop limits of one side, over established attempts."""

    known: int = 0
    pristine: int = 0
    """Exactly 64, 128 or 255: no router passed."""
    hops_p50: float | None = None
    """Routers passed, median, counted from the next initial TTL above."""


@dataclass(frozen=True, slots=True)
class VantageEvidence:
    """What tells where the capture was taken."""

    split: Split = Split()
    ttl_client: Ttls = Ttls()
    ttl_server: Ttls = Ttls()

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> VantageEvidence:
        """From the JSON object ``vantage``."""
        data = data or {}
        return cls(_plain(Split, data), _plain(Ttls, data.get("ttl_client")), _plain(Ttls, data.get("ttl_server")))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """All attempts to one server address and port."""

    server: str
    server_port: int
    handshakes: int = 0
    outcomes: Counts = field(default_factory=dict)
    undecided: Counts = field(default_factory=dict)
    """{outcome: attempts} that had waited for less than a second when the capture ended."""
    answered: int = 0
    """Attempts that drew any answer."""
    completed_share: float | None = None
    """Established among all but the partial ones, 0 to 1."""
    failed: int = 0
    """All but the established and the partial ones."""
    latency_us: Latencies = Latencies()
    syn_sent: int = 0
    syn_ack_sent: int = 0
    retransmission: Retransmission = Retransmission()
    first_ns: int | None = None
    """Start of the earliest attempt."""
    last_ns: int | None = None
    """Start of the latest attempt."""
    clients: int | None = None
    """Distinct client addresses; an estimate unless ``clients_exact``."""
    clients_exact: bool | None = None
    failed_clients: int | None = None
    """Distinct sources of the attempts that did not complete; an estimate unless ``failed_clients_exact``."""
    failed_clients_exact: bool | None = None
    peak: Peak | None = None
    split: Split = Split()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Endpoint:
        """From one row of ``endpoints``."""
        return _plain(
            cls,
            data,
            outcomes=data.get("outcomes") or {},
            undecided=data.get("undecided") or {},
            latency_us=Latencies.from_json(data.get("latency_us")),
            retransmission=Retransmission.from_json(data.get("retransmission")),
            peak=_peak(data.get("peak")),
            split=_plain(Split, data.get("split")),
        )


@dataclass(frozen=True, slots=True)
class OtherEndpoints:
    """The endpoints that have no row of their own, summed."""

    endpoints: int = 0
    handshakes: int = 0
    outcomes: Counts = field(default_factory=dict)
    failed: int = 0
    folded: int = 0
    """How many of them were folded away while reading, because there were too many to keep."""


@dataclass(frozen=True, slots=True)
class Host:
    """All attempts to one server address."""

    server: str
    ports: int | None = None
    """Distinct ports tried."""
    server_port: int | None = None
    """The port, when it is only one."""
    handshakes: int = 0
    outcomes: Counts = field(default_factory=dict)
    answered: int = 0
    syn_sent: int = 0
    clients: int | None = None
    clients_exact: bool | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    sent_midstream: bool = False
    """It sent something in a connection from before the capture: it is there."""


@dataclass(frozen=True, slots=True)
class SilentPair:
    """A client whose repeated SYNs an endpoint left without answer."""

    client: str
    server: str
    server_port: int
    unanswered: int = 0
    """Attempts without answer in which the SYN was sent at least twice."""
    syn_sent: int = 0
    """SYNs in these."""
    answered_before: bool = False
    """An attempt of the pair had been answered before that, as far as is remembered."""
    answered_later: int = 0
    """Attempts of the pair that were answered after the first such one."""
    first_ns: int | None = None
    last_ns: int | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Attempts over time, in bins of equal width."""

    start_ns: int
    width_s: float
    attempts: tuple[int, ...] = ()
    """Begun in the bin."""
    established: tuple[int, ...] = ()
    """Of those."""
    failed: tuple[int, ...] = ()
    """Of those; partial ones are neither."""
    retransmitted: tuple[int, ...] = ()
    """Of those, with more than one SYN."""


@dataclass(frozen=True, slots=True)
class Summary:
    """All numbers of one run of ``halfopen trace``."""

    inputs: tuple[Input, ...] = ()
    packets: int = 0
    tcp_segments: int = 0
    midstream: int | None = None
    """Connections that were open before the capture began; they make no handshake."""
    evicted: int = 0
    """Connections that were pushed out of the full flow table and judged by what had been seen."""
    start_ns: int | None = None
    """Time of the first packet."""
    end_ns: int | None = None
    """Time of the last packet."""
    filter: str | None = None
    """What ``--where``, ``--since`` and ``--until`` left in, as the user wrote it; None when everything counts."""
    handshakes: int = 0
    ipv6: int = 0
    first_ns: int | None = None
    """Start of the earliest attempt."""
    last_ns: int | None = None
    """Start of the latest attempt."""
    outcomes: Counts = field(default_factory=dict)
    undecided: Counts = field(default_factory=dict)
    """As of an endpoint."""
    answered: int = 0
    clients: int | None = None
    clients_exact: bool | None = None
    latency_us: Latencies = Latencies()
    syn_sent: int = 0
    syn_ack_sent: int = 0
    retransmission: Retransmission = Retransmission()
    anomalies: Counts = field(default_factory=dict)
    close: Counts = field(default_factory=dict)
    closed_by: Counts = field(default_factory=dict)
    time_wait: Counts = field(default_factory=dict)
    fast_open: Counts = field(default_factory=dict)
    simultaneous: int = 0
    syn_data: int = 0
    peak: Peak | None = None
    timeline: Timeline | None = None
    vantage: VantageEvidence = VantageEvidence()
    endpoints_total: int = 0
    endpoints: tuple[Endpoint, ...] = ()
    other_endpoints: OtherEndpoints | None = None
    hosts_total: int = 0
    hosts: tuple[Host, ...] = ()
    silent_hosts_total: int = 0
    silent_hosts: tuple[Host, ...] = ()
    silent_pairs: tuple[SilentPair, ...] = ()
    slowest: tuple[Handshake, ...] = ()
    """The largest ``handshake_us``, largest first."""
    failed: tuple[Handshake, ...] = ()
    """Attempts that did not complete, spread over endpoints and outcomes, by start."""
    document: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    """The object this was read from, so that JSON output loses nothing that is not typed here."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Summary:
        """From the object of the core. Names that are missing stay unknown, names of a newer core are kept."""
        other, timeline = data.get("other_endpoints"), data.get("timeline")
        counted = ("outcomes", "undecided", "anomalies", "close", "closed_by", "time_wait", "fast_open")
        return _plain(
            cls,
            data,
            **{name: data.get(name) or {} for name in counted},
            inputs=_rows(Input, data.get("inputs")),
            latency_us=Latencies.from_json(data.get("latency_us")),
            retransmission=Retransmission.from_json(data.get("retransmission")),
            peak=_peak(data.get("peak")),
            timeline=_timeline(timeline),
            vantage=VantageEvidence.from_json(data.get("vantage")),
            endpoints=tuple(Endpoint.from_json(row) for row in data.get("endpoints") or ()),
            other_endpoints=None if other is None else _plain(OtherEndpoints, other),
            hosts=_rows(Host, data.get("hosts")),
            silent_hosts=_rows(Host, data.get("silent_hosts")),
            silent_pairs=_rows(SilentPair, data.get("silent_pairs")),
            slowest=tuple(Handshake.from_dict(row) for row in data.get("slowest") or ()),
            failed=tuple(Handshake.from_dict(row) for row in data.get("failed") or ()),
            document=data,
        )

    def outcome(self, *names: str) -> int:
        """Attempts that ended in one of these ways."""
        return sum(self.outcomes.get(name, 0) for name in names)

    @property
    def defects(self) -> dict[str, int]:
        """{kind: how many} over all inputs."""
        total: dict[str, int] = {}
        for source in self.inputs:
            for kind, count in source.defects.items():
                total[kind] = total.get(kind, 0) + count
        return total


_NAMES: dict[type, tuple[str, ...]] = {}


def _names(cls: type) -> tuple[str, ...]:
    if cls not in _NAMES:
        _NAMES[cls] = tuple(item.name for item in fields(cls))
    return _NAMES[cls]


def _plain(cls: type[_T], data: Mapping[str, Any] | None, **given: object) -> _T:
    """A record from the known names of ``data``; a null or a missing one keeps its default."""
    data = data or {}
    values = {name: data[name] for name in _names(cls) if name not in given and data.get(name) is not None}
    return cls(**values, **given)


def _rows(cls: type[_T], rows: list[Mapping[str, Any]] | None) -> tuple[_T, ...]:
    return tuple(_plain(cls, row) for row in rows or ())


def _peak(data: Mapping[str, Any] | None) -> Peak | None:
    return _plain(Peak, data) if data else None


def _timeline(data: Mapping[str, Any] | None) -> Timeline | None:
    if not data:
        return None
    lists = {name: tuple(data.get(name) or ()) for name in ("attempts", "established", "failed", "retransmitted")}
    return _plain(Timeline, data, **lists)
