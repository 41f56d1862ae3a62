"""Two captures of the same traffic, compared: the object ``halfopen.against/1``, typed.

The captures are called ``a`` and ``b`` in the order in which they were named; which one is nearer to the clients was
read from the packets. Unknown is ``None``; in an object of counts a name that is absent is 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from halfopen.model.summary import Input, Latency

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "halfopen.against/1"

Point = Literal["a", "b"]
"""One of the two captures."""

Fate = Literal["passed", "lost", "not_captured", "not_judged"]
"""Seen at both; seen only where it came from; seen only where it went; the other capture was not running."""

_T = TypeVar("_T")
_NOTHING = Latency()


@dataclass(frozen=True, slots=True)
class PointTotals:
    """What one capture held."""

    packets: int = 0
    """Packets read."""
    tcp_segments: int = 0
    """TCP segments among them."""
    handshakes: int = 0
    """Handshakes in it."""
    compared: int = 0
    """Of these, how many were kept for the comparison."""
    evicted: int = 0
    """Flows pushed out of the full table."""
    start_ns: int | None = None
    """Time of the first packet, nanoseconds since the epoch, on this capture's clock."""
    end_ns: int | None = None
    """Time of the last."""


@dataclass(frozen=True, slots=True)
class Clock:
    """How the clock of ``b`` relates to that of ``a``."""

    offset_us: float | None = None
    """``b`` less ``a``, microseconds, at ``at_ns``: above zero, ``b`` is ahead."""
    uncertainty_us: float | None = None
    """The true offset is within this of ``offset_us``: half of the shortest round trip between the points, or a little
    more where drift is possible."""
    drift_ppm: float | None = None
    """How fast ``b`` gains on ``a``, parts per million; None where the time is too short to tell, and taken as 0."""
    drift_uncertainty_ppm: float | None = None
    """The true drift is within this of ``drift_ppm``."""
    shortest_round_trip_us: float | None = None
    """The shortest round trip between the points, microseconds."""
    at_ns: int | None = None
    """The middle of the common time, on the clock of ``a``."""
    span_us: float | None = None
    """How long that time is."""
    packets_from_a: int = 0
    """Packets that passed ``a`` first, and tell the most that ``b`` can be ahead."""
    packets_from_b: int = 0
    """Packets that passed ``b`` first, and tell the least."""
    unknown_because: str | None = None
    """``no_packets``, ``no_direction``, ``one_direction`` or ``contradiction``."""


@dataclass(frozen=True, slots=True)
class PacketCounts:
    """Handshake packets of one kind and sender, by their fate between the points."""

    kind: str
    """``syn``, ``syn_ack``, ``ack``, ``rst``."""
    sender: str
    """``client`` or ``server``."""
    passed: int = 0
    lost: int = 0
    not_captured: int = 0
    not_judged: int = 0


@dataclass(frozen=True, slots=True)
class Splits:
    """Where the time goes, microseconds."""

    there: Latency = _NOTHING
    """A SYN from the point near the client to the one near the server; as uncertain as the clock."""
    back: Latency = _NOTHING
    """The SYN-ACK back; as uncertain as the clock."""
    between: Latency = _NOTHING
    """Both: free of the clocks' offset."""
    server_side: Latency = _NOTHING
    """SYN to SYN-ACK at the point near the server: what lies behind it."""
    client_side: Latency = _NOTHING
    """SYN-ACK to ACK at the point near the client: what lies before it."""


@dataclass(frozen=True, slots=True)
class Ends:
    """A four-tuple."""

    client: str
    client_port: int
    server: str
    server_port: int


@dataclass(frozen=True, slots=True)
class Lookalikes:
    """Handshakes that are in both captures under different names, and so were not compared."""

    handshakes: int = 0
    client_changed: int = 0
    """Those with another client address or port."""
    server_changed: int = 0
    """Those with another server address or port."""
    example: tuple[Ends, Ends] | None = None
    """The first, as each capture has it."""


@dataclass(frozen=True, slots=True)
class View:
    """One handshake in one of the captures."""

    number: int
    """As ``--ladder`` takes it for that capture."""
    start_ns: int
    outcome: str
    frame_syn: int | None = None
    frame_syn_ack: int | None = None
    frame_ack: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a packet stands in a capture."""

    time_ns: int
    frame: int
    file: int = 0


@dataclass(frozen=True, slots=True)
class Transmission:
    """One packet of a handshake and what became of it between the points."""

    kind: str
    sender: str
    fate: Fate
    a: Place | None = None
    b: Place | None = None
    way_us: float | None = None
    """Time between the points; as uncertain as the clock."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One handshake at both points."""

    client: str
    client_port: int
    server: str
    server_port: int
    a: View | None = None
    b: View | None = None
    isn_client: int | None = None
    isn_server: int | None = None
    only_because: str | None = None
    """Why it is in one capture only."""
    client_nearer_to: Point | None = None
    rewritten: bool = False
    lost: int = 0
    unanswered_syns: int = 0
    unanswered_syn_ack: bool = False
    there_us: float | None = None
    back_us: float | None = None
    between_us: float | None = None
    server_side_us: float | None = None
    client_side_us: float | None = None
    packets: tuple[Transmission, ...] = ()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Compared:
        """From the object, or from a line of ``--format jsonl``."""
        parts = {
            "a": _optional(View, data.get("a")),
            "b": _optional(View, data.get("b")),
            "packets": tuple(map(_transmission, data.get("packets") or ())),
        }
        return _plain(cls, data, **parts)


@dataclass(frozen=True, slots=True)
class Against:
    """Everything that was found."""

    inputs_a: tuple[Input, ...] = ()
    inputs_b: tuple[Input, ...] = ()
    a: PointTotals = PointTotals()
    b: PointTotals = PointTotals()
    sampled_one_in: int = 1
    """More handshakes than fit: only one in so many was compared, the same ones of both captures."""
    common: int = 0
    """Handshakes in both captures."""
    only_a: int = 0
    only_b: int = 0
    repeated: int = 0
    """Seen again in one capture with the same numbers (other tags or tunnels), and not counted again."""
    rewritten: int = 0
    """Common, but with another number of one side: something in between answers itself, or rewrites."""
    client_nearer_to: Mapping[str, int] = field(default_factory=dict)
    """Common handshakes whose client is nearer to ``a``, to ``b``, ``unknown``."""
    with_loss: int = 0
    """Handshakes that lost a packet between the points."""
    lost_whole: int = 0
    """Of these, those that lost every packet, and so are in one capture only."""
    packets_lost: int = 0
    unanswered_syns: int = 0
    """SYNs that reached the point near the server and drew no answer there."""
    with_unanswered_syns: int = 0
    unanswered_syn_acks: int = 0
    """SYN-ACKs that reached the point near the client and drew no answer there."""
    only: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Why handshakes are in one capture only: {``a``: {reason: n}, ``b``: {reason: n}}."""
    outcomes_differ: tuple[tuple[str, str, int], ...] = ()
    """(outcome in ``a``, outcome in ``b``, handshakes)."""
    clock: Clock = Clock()
    packets: tuple[PacketCounts, ...] = ()
    split_us: Splits = Splits()
    translated: Lookalikes = Lookalikes()
    """Same sequence numbers under other addresses or ports: NAT in between."""
    renumbered: Lookalikes = Lookalikes()
    """Same addresses, ports and time stamps under other sequence numbers."""
    handshakes: tuple[Compared, ...] = ()
    """Those that lost most."""
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The whole object."""

    @property
    def near_client(self) -> Point | None:
        """The point that is nearer to most clients; None when nothing tells."""
        a, b = self.client_nearer_to.get("a", 0), self.client_nearer_to.get("b", 0)
        return None if a == b else "a" if a > b else "b"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Against:
        """From the whole object."""
        inputs = data.get("inputs") or {}
        return _plain(
            cls,
            data,
            inputs_a=tuple(_plain(Input, item) for item in inputs.get("a") or ()),
            inputs_b=tuple(_plain(Input, item) for item in inputs.get("b") or ()),
            a=_plain(PointTotals, data.get("a")),
            b=_plain(PointTotals, data.get("b")),
            outcomes_differ=tuple((row["a"], row["b"], row["handshakes"]) for row in data.get("outcomes_differ") or ()),
            clock=_plain(Clock, data.get("clock")),
            packets=tuple(_plain(PacketCounts, row, sender=row["from"]) for row in data.get("packets") or ()),
            split_us=Splits(**{key: _plain(Latency, value) for key, value in (data.get("split_us") or {}).items()}),
            translated=_lookalikes(data.get("translated")),
            renumbered=_lookalikes(data.get("renumbered")),
            handshakes=tuple(map(Compared.from_json, data.get("handshakes") or ())),
            document=data,
        )


def _lookalikes(data: Mapping[str, Any] | None) -> Lookalikes:
    example = (data or {}).get("example")
    ends = None if example is None else (_plain(Ends, example["a"]), _plain(Ends, example["b"]))
    return _plain(Lookalikes, data, example=ends)


def _transmission(data: Mapping[str, Any]) -> Transmission:
    places = {point: _optional(Place, data.get(point)) for point in ("a", "b")}
    return _plain(Transmission, data, sender=data["from"], **places)


def _optional(kind: type[_T], data: Mapping[str, Any] | None) -> _T | None:
    return None if data is None else _plain(kind, data)


def _plain(kind: type[_T], data: Mapping[str, Any] | None, **parts: Any) -> _T:  # noqa: ANN401  (each part has its own type)
    """A dataclass from the keys that it knows; newer keys are for newer readers."""
    names = {item.name for item in fields(kind)} - parts.keys()  # type: ignore[arg-type]  # kind is a dataclass
    return kind(**{name: value for name, value in (data or {}).items() if name in names}, **parts)
