"""One attempt to open a connection: the record ``halfopen.handshake/1``.

A capture, the live kernel and a probe all yield this one record, so that one summary and one set of screens serves
them all. Unknown is ``None``, never 0 or "". Times carry their unit in the name.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Outcome = Literal[
    "established",
    "refused",
    "unreachable",
    "unanswered",
    "half_open",
    "reset_by_client",
    "reset_by_server",
    "timeout",
    "partial",
]
"""How an attempt ended.

``established``: the client's ACK acknowledged the server's SYN. ``refused``: RST in answer to the SYN. ``unreachable``:
ICMP error for the SYN. ``unanswered``: no reply was seen. ``half_open``: SYN-ACK sent, its ACK never seen.
``reset_by_client``, ``reset_by_server``: RST after the SYN-ACK, before completion. ``timeout``: the caller gave up
(live, probe). ``partial``: the capture starts inside the handshake.
"""

OUTCOMES: tuple[str, ...] = get_args(Outcome)
"""Every outcome, in the order in which they are listed for a person."""

Side = Literal["client", "server"]
TimeWait = Literal["client", "server", "both"]
FastOpen = Literal["requested", "granted", "accepted", "ignored"]


@dataclass(frozen=True, slots=True)
class SideOptions:
    """What one side offered in its SYN or SYN-ACK."""

    mss: int | None = None
    """Maximum segment size, bytes."""
    window_scale: int | None = None
    """Shift count as sent, RFC 7323 (above 14 counts as 14)."""
    sack_permitted: bool | None = None
    """SACK permitted, RFC 2018."""
    timestamps: bool | None = None
    """Timestamps, RFC 7323."""
    fast_open: Literal["request", "cookie"] | None = None
    """The Fast Open option, RFC 7413: asks for a cookie, or carries one."""
    mptcp: bool | None = None
    """Multipath TCP, RFC 8684."""
    ecn: bool | None = None
    """ECN set-up, RFC 3168 or RFC 9768."""
    window: int | None = None
    """Window field, bytes, unscaled as in every SYN."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SideOptions:
        """From the JSON object; what it does not name stays unknown."""
        return cls(**{name: data[name] for name in _OPTION_NAMES if name in data})


@dataclass(frozen=True, slots=True)
class Handshake:
    """One attempt to open a connection, its retransmissions included."""

    source: str
    """The file's name, ``live:<interface>``, ``kernel`` or ``probe``."""
    start_ns: int | None
    """Time of the first SYN (of the first packet, where no SYN was captured), nanoseconds since the epoch; None where
    the capture holds no time of it."""
    client: str | None
    """Address of the side that sent the first SYN; None (probe only) where there was no way to the server."""
    client_port: int | None
    """Its port; None (probe only) where no SYN was sent."""
    server: str
    """Address of the other side."""
    server_port: int
    """Its port."""
    outcome: Outcome
    """How the attempt ended."""
    number: int | None = None
    """Order among all handshakes of the run, from 1: what ``--ladder`` takes."""
    vlan: tuple[int, ...] = ()
    """Outer 802.1Q/802.1ad tags, outermost first."""
    tunnel: str | None = None
    """What was decapsulated: ``gre``, ``vxlan``, ``ipip``, ``ip6ip``, ``mpls``, ``pppoe``…"""
    syn_sent: int | None = None
    """Transmissions of the SYN seen, the first included."""
    syn_ack_sent: int | None = None
    """Transmissions of the SYN-ACK seen, the first included."""
    syn_to_syn_ack_us: float | None = None
    """First SYN to first valid SYN-ACK, microseconds."""
    syn_ack_to_ack_us: float | None = None
    """First valid SYN-ACK to the client's ACK of it, microseconds."""
    handshake_us: float | None = None
    """First SYN to that ACK, microseconds."""
    retransmit_wait_us: float | None = None
    """First SYN to the SYN that was answered, microseconds: lost to retransmission. 0 when the first one was."""
    client_options: SideOptions | None = None
    """Of the first SYN."""
    server_options: SideOptions | None = None
    """Of the first valid SYN-ACK."""
    isn_client: int | None = None
    """Initial sequence number of the client, 0 to 2^32-1."""
    isn_server: int | None = None
    """Initial sequence number of the server, 0 to 2^32-1."""
    syn_data_bytes: int | None = None
    """Data in the first SYN, bytes."""
    fast_open: FastOpen | None = None
    """What became of Fast Open, where the SYN asked for it."""
    simultaneous: bool | None = None
    """Both sides sent a SYN, RFC 9293 section 3.5."""
    duration_us: float | None = None
    """Of the connection as far as seen, microseconds."""
    client_bytes: int | None = None
    """Stream bytes of the client, as far as seen."""
    server_bytes: int | None = None
    """Stream bytes of the server, as far as seen."""
    closed_by: Side | None = None
    """Who closed first."""
    close: Literal["fin", "rst"] | None = None
    """How."""
    time_wait: TimeWait | None = None
    """Which side is left with TIME_WAIT, RFC 9293 section 3.6."""
    anomalies: tuple[str, ...] = ()
    """What was odd; a closed list."""
    frame_syn: int | None = None
    """1-based frame number of the first SYN in the file."""
    frame_syn_ack: int | None = None
    """Of the first valid SYN-ACK."""
    frame_ack: int | None = None
    """Of the ACK that completed it."""
    process: str | None = None
    """Live only: the name of the process that opened or owns it."""
    pid: int | None = None
    """Live only: its process id."""
    cgroup: str | None = None
    """Live only: its control group."""
    netns: str | None = None
    """Live only: its network namespace."""
    accept_wait_us: float | None = None
    """Live only: time in the accept queue, microseconds."""
    connect_us: float | None = None
    """Live, probe: wall time of connect(), microseconds."""
    errno: str | None = None
    """Live, probe: the name of the error that connect() gave (``ECONNREFUSED``)."""
    resolve_us: float | None = None
    """Probe only: name resolution, microseconds."""
    first_byte_us: float | None = None
    """Probe only: end of the handshake to the server's first byte, microseconds."""
    icmp_type: int | None = None
    """Type of the ICMP or ICMPv6 error that ended the attempt."""
    icmp_code: int | None = None
    """Its code."""
    icmp_from: str | None = None
    """Address of the router or host that sent it."""

    @property
    def neighbour_is_silent(self) -> bool:
        """Whether this host itself says that the destination cannot be reached: RFC 792 (3, 1), RFC 4443 (1, 3).

        So the kernel ends what waits for a neighbour that does not answer ARP or ND. (A rule of its own packet filter
        may say the same.)
        """
        told = (self.icmp_type, self.icmp_code) == ((1, 3) if ":" in self.server else (3, 1))
        return told and self.icmp_came_from_itself and self.client != self.server

    @property
    def icmp_came_from_itself(self) -> bool:
        """Whether the ICMP error was sent by the host that connected; from its loopback address, if it has no other."""
        return self.icmp_from is not None and self.icmp_from in {self.client, "127.0.0.1", "::1"}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Handshake:
        """From one JSON Lines object. Names of a newer writer are left out; a missing required one is a KeyError."""
        values = {name: data[name] for name in _NAMES if data.get(name) is not None}
        for name in ("client_options", "server_options"):
            if name in values:
                values[name] = SideOptions.from_dict(values[name])
        for name in ("vlan", "anomalies"):
            if name in values:
                values[name] = tuple(values[name])
        for name in _REQUIRED:
            values.setdefault(name, data[name])
        return cls(**values)


_OPTION_NAMES = tuple(field.name for field in fields(SideOptions))
_NAMES = tuple(field.name for field in fields(Handshake))
_REQUIRED = ("source", "start_ns", "client", "client_port", "server", "server_port", "outcome")
