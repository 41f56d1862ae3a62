"""The packets of one connection with what the state table made of each: what a ladder is drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from halfopen.model.handshake import Handshake

FLAG_BITS = (
    ("FIN", 1),
    ("SYN", 2),
    ("RST", 4),
    ("PSH", 8),
    ("ACK", 16),
    ("URG", 32),
    ("ECE", 64),
    ("CWR", 128),
    ("AE", 256),
)
"""TCP flags by bit, RFC 9293 section 3.1; AE is RFC 9768."""

Verdict = Literal["next", "ignore", "invalid", "copy"]
"""What the state table said: the packet moved the state, changed nothing (a retransmission, say), cannot belong, or is
one that was captured twice."""

_UNSYNCHRONIZED = frozenset({None, "CLOSED", "LISTEN", "SYN_SENT", "SYN_RECV"})
"""States in which an ACK means more than data; RFC 9293 section 3.3.2 calls the others synchronized."""


@dataclass(frozen=True, slots=True)
class FourTuple:
    """The two ends of a connection, in either order; addresses in their canonical text form."""

    address: str
    port: int
    peer: str
    peer_port: int


@dataclass(frozen=True, slots=True)
class ExchangePacket:
    """One packet of the connection."""

    time_ns: int | None
    """Capture time, nanoseconds since the epoch; None where the capture does not say (pcapng simple packet blocks)."""
    from_client: bool
    """Its direction."""
    flags: int
    """TCP flags as bits, see ``FLAG_BITS``."""
    seq: int
    """Sequence number, absolute."""
    ack: int = 0
    """Acknowledgment number, absolute; meaningful only with ACK."""
    window: int | None = None
    """Window field, unscaled."""
    payload_len: int = 0
    """Payload, bytes on the wire."""
    frame: int | None = None
    """1-based frame number in its file."""
    file: int = 0
    """Index of the file."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of a SYN or SYN-ACK, by name: ``mss``, ``window_scale``, ``sack_permitted``, ``timestamps``…"""
    client_state: str | None = None
    """State of the client after the packet, in the kernel's spelling; None where the packets do not tell."""
    server_state: str | None = None
    """State of the server after it."""
    verdict: Verdict = "next"
    note: str = ""
    """The reason of the state table, where it has one."""

    @property
    def is_plain(self) -> bool:
        """Whether it is data or an acknowledgment in an open connection, of which there is nothing to say."""
        telling = any(self.has(flag) for flag in ("SYN", "FIN", "RST"))
        open_ = self.client_state not in _UNSYNCHRONIZED and self.server_state not in _UNSYNCHRONIZED
        return self.verdict == "ignore" and not telling and open_

    def has(self, flag: str) -> bool:
        """Whether the flag is set."""
        return any(name == flag and self.flags & bit for name, bit in FLAG_BITS)


@dataclass(frozen=True, slots=True)
class ExchangeIcmp:
    """An ICMP error about one of the packets."""

    time_ns: int | None
    """Capture time, nanoseconds since the epoch; None where the capture does not say (pcapng simple packet blocks)."""
    icmp_type: int
    icmp_code: int
    icmp_from: str
    """Address of the router or host that sent it."""
    to_client: bool = True
    """Whether it goes to the client: whether it quotes a packet of the client."""
    seq: int | None = None
    """Sequence number of the quoted packet, absolute."""
    frame: int | None = None
    """1-based frame number in its file."""
    file: int = 0
    """Index of the file."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One connection, packet by packet, in capture order."""

    handshake: Handshake
    events: tuple[ExchangePacket | ExchangeIcmp, ...]
    files: tuple[str, ...] = ()
    """Paths by the index ``file``."""
    omitted: int = 0
    """Packets of the middle that were not kept."""
    omitted_after: int = 0
    """After how many of ``events`` they stood."""

    @classmethod
    def from_dicts(
        cls,
        handshake: Handshake,
        events: Iterable[Mapping[str, Any]],
        files: tuple[str, ...] = (),
        omitted: int = 0,
        omitted_after: int = 0,
    ) -> Exchange:
        """From the events as the core gives them; the ICMP errors among them are those with an ``icmp_type``."""
        return cls(handshake, tuple(map(_event, events)), files, omitted, omitted_after)


@dataclass(frozen=True, slots=True)
class Exchanges:
    """What was found of the connections that were asked for."""

    exchanges: tuple[Exchange, ...]
    """By the number of their handshake."""
    left_out: int
    """Handshakes between the ends asked for, beyond those that are kept."""
    handshakes: int
    """All in the captures, as far as these were read."""


_ICMP_FIELDS = ("time_ns", "icmp_type", "icmp_code", "icmp_from", "to_client", "seq", "frame", "file")
_FIELDS = [
    "time_ns",
    "from_client",
    "flags",
    "seq",
    "ack",
    "window",
    "payload_len",
    "frame",
    "file",
    "client_state",
    "server_state",
    "verdict",
    "note",
]
_OPTIONS = [
    "mss",
    "window_scale",
    "sack_permitted",
    "timestamps",
    "fast_open",
    "mptcp",
    "ecn",
    "md5",
    "ao",
    "unknown_options",
    "incomplete",
]


def _event(data: Mapping[str, Any]) -> ExchangePacket | ExchangeIcmp:
    if data.get("icmp_type") is None:
        return _packet(data)
    return ExchangeIcmp(**_given(data, _ICMP_FIELDS))


def _given(data: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What is known. A packet may be without a time, but it always says so."""
    return {"time_ns": None, **{name: data[name] for name in names if data.get(name) is not None}}


def _packet(data: Mapping[str, Any]) -> ExchangePacket:
    values = _given(data, _FIELDS)
    options = data.get("options") or {name: data[name] for name in _OPTIONS if data.get(name) is not None}
    return ExchangePacket(**values, options=options)
