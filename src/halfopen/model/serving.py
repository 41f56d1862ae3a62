"""What a test server was told, and what became of the connections to it: ``halfopen serve``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Close = Literal["client", "fin", "rst"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeOptions:
    """The knobs, under their options' names; None is «not given»."""

    addresses: tuple[str, ...] = ("127.0.0.1",)
    port: int = 0
    backlog: int = 4096
    defer_accept: int | None = None
    """TCP_DEFER_ACCEPT, seconds."""
    fast_open: int | None = None
    """TCP_FASTOPEN: length of its queue."""
    reuse_port: int = 1
    accept_delay_s: float | None = None
    accept_rate: int | None = None
    """Connections a second."""
    never_accept: bool = False
    banner: bytes | None = None
    echo: bool = False
    http: bytes | None = None
    """Body of every answer."""
    close: Close = "client"
    quickack: bool | None = None
    nodelay: bool = False
    events: bool = True
    """Whether each connection is told."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The accept queue of a listener at one moment."""

    address: str
    port: int
    depth: int
    """Connections that wait for accept()."""
    limit: int
    """min(backlog, somaxconn); one more fits."""


@dataclass(slots=True)
class Seen:
    """What the events said since the server began; the only record here that changes."""

    errors: dict[str, int] = field(default_factory=dict)
    """Connections that ended by an error: ``ECONNRESET``…"""
    syn_data: int = 0
    """Connections with data in their SYN."""
    syn_cookies: int = 0
    """Connections made from a SYN cookie."""
    syn_ack_retransmitted: int = 0
    """Connections whose SYN-ACK was sent again."""
    accept_wait_max_ms: int | None = None

    def add(self, event: dict[str, Any]) -> None:
        """Count an event."""
        if event["event"] == "accepted":
            self.syn_data += event["syn_data"]
            self.syn_cookies += bool(event["syn_cookie"])
            self.syn_ack_retransmitted += bool(event["syn_ack_retransmissions"])
            self.accept_wait_max_ms = max(self.accept_wait_max_ms or 0, event["accept_wait_ms"])
        elif event["event"] == "closed" and event["errno"]:
            self.errors[event["errno"]] = self.errors.get(event["errno"], 0) + 1
