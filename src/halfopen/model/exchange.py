"""The packets of one connection with what the state table made of each: what a ladder is drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

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

Verdict = Literal["next", "ignore", "invalid"]
"""What the state table said: the packet moved the state, changed nothing (a retransmission, say), or cannot belong."""


@dataclass(frozen=True, slots=True)
class ExchangePacket:
    """One packet of the connection."""

    time_ns: int
    """Capture time, nanoseconds since the epoch."""
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
    client_state: str = ""
    """State of the client after the packet, in the words of RFC 9293."""
    server_state: str = ""
    """State of the server after it."""
    verdict: Verdict = "next"
    note: str = ""
    """The reason of the state table, where it has one."""

    def has(self, flag: str) -> bool:
        """Whether the flag is set."""
        return any(name == flag and self.flags & bit for name, bit in FLAG_BITS)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One connection, packet by packet, in capture order."""

    handshake: Handshake
    packets: tuple[ExchangePacket, ...]
    files: tuple[str, ...] = ()
    """Paths by ``ExchangePacket.file``."""
    dropped: int = 0
    """Packets after the last one that were not kept."""

    @classmethod
    def from_dicts(
        cls, handshake: Handshake, packets: list[Mapping[str, Any]], files: tuple[str, ...] = (), dropped: int = 0
    ) -> Exchange:
        """From the packets as the core gives them; option fields may stand beside the others or under ``options``."""
        return cls(handshake, tuple(_packet(packet) for packet in packets), files, dropped)


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


def _packet(data: Mapping[str, Any]) -> ExchangePacket:
    values = {name: data[name] for name in _FIELDS if data.get(name) is not None}
    options = data.get("options") or {name: data[name] for name in _OPTIONS if data.get(name) is not None}
    return ExchangePacket(**values, options=options)
