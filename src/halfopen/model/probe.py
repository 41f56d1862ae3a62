"""What a probe found: the handshake record, and beside it what only the one who connected can know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from halfopen.model.handshake import Handshake
    from halfopen.model.summary import Counts, Latency
    from halfopen.model.target import Target

SCHEMA = "halfopen.probe/1"

Ending = Literal["established", "refused", "unreachable", "timeout", "not_sent", "failed"]
"""How connect() ended: ``unreachable`` by an ICMP error or for want of a route; ``timeout``: no answer in time;
``not_sent``: this host sent no SYN (no port left, not permitted, no memory); ``failed``: anything else."""

RttValidity = Literal["valid", "syn_retransmitted", "syn_data_resent", "not_measured"]
"""Whether the kernel's round trip is one. ``syn_retransmitted``: more than one SYN was sent, so that the kernel's
number contains the wait, or is only known to a millisecond. ``syn_data_resent``: the server took the SYN without its
data (Fast Open), and the kernel has averaged in the time of the data sent again, which it knows to a millisecond."""

WaitMethod = Literal["timestamp", "schedule"]
"""``timestamp``: the answer says which SYN it answered. ``schedule``: the kernel's timetable, a lower bound."""

DataEnd = Literal["first_byte", "closed", "failed", "silent"]
FastOpenFailure = Literal["no_cookie", "data_not_acknowledged", "syn_retransmitted"]


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What the two sides agreed on in the handshake (``TCP_INFO``)."""

    timestamps: bool
    """RFC 7323."""
    sack: bool
    """RFC 2018."""
    ecn: bool
    """RFC 3168."""
    window_scaling: bool
    """RFC 7323."""
    window_scale_server: int
    """Shift count of the server's windows, 0 to 14."""
    window_scale_client: int
    """Of ours."""
    send_mss: int
    """Bytes of data that a segment to the server may carry."""
    offered_mss: int
    """The MSS that our SYN offered, bytes."""
    path_mtu: int
    """As the kernel knows it, bytes."""
    rto_us: int
    """Retransmission timeout after the handshake, microseconds: a lossy past in ``tcp_metrics`` makes it long."""


@dataclass(frozen=True, slots=True)
class FastOpenReport:
    """What became of Fast Open (RFC 7413) in one connect."""

    syn_data_bytes: int | None
    """The kernel had a cookie, so that the SYN carried this many bytes at most; None: it had none."""
    accepted: bool
    """The SYN-ACK acknowledged the data (``TCPI_OPT_SYN_DATA``)."""
    failure: FastOpenFailure | None
    """The kernel's word for what went wrong (``tcpi_fastopen_client_fail``)."""
    disabled: bool
    """Fast Open is off for clients on this host (bit 1 of ``net.ipv4.tcp_fastopen``): an ordinary SYN was sent."""


@dataclass(frozen=True, slots=True)
class DataReport:
    """The time after the handshake."""

    end: DataEnd
    """How the wait ended: a byte, the server's FIN, an error, or nothing until the timeout."""
    errno: str | None
    """The error's name, where it failed."""
    waited_us: float
    """End of the handshake to that, microseconds."""
    sent_bytes: int
    """Handed to the kernel."""
    acknowledged_bytes: int | None
    """Acknowledged by the server's kernel; None on a kernel that does not tell."""
    received_bytes: int
    """In the first read."""
    retransmissions: int
    """Since the handshake."""
    segments_received: int | None
    """Since the handshake; one without data is the mark of a repeated SYN-ACK. None on a kernel that does not tell."""
    data_segments_received: int | None = None
    """Of these, those with data, in order or not: the first may have been lost. None on a kernel that does not tell."""

    @property
    def syn_acks_received(self) -> int:
        """Segments without data where there was nothing to acknowledge: SYN-ACKs that came again."""
        return max(0, (self.segments_received or 0) - (self.data_segments_received or 0))

    @property
    def lacks_beginning(self) -> bool:
        """Data came, and none of it could be read: the first segment is lost again and again."""
        return self.end == "silent" and (self.data_segments_received or 0) > 0


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One connect."""

    handshake: Handshake
    """The record, with ``source`` ``probe``."""
    target: Target
    """Whom it was for, as it was asked."""
    round: int
    """From 1; a round has a connect to each target, or several."""
    ending: Ending
    """How connect() ended, finer than the record's ``outcome``."""
    rtt_us: float | None = None
    """The kernel's own SYN round trip, microseconds; None unless ``rtt_validity`` is ``valid``."""
    rtt_validity: RttValidity = "not_measured"
    """Whether there is one, and why not."""
    processor_wait_us: float | None = None
    """How much of ``handshake.connect_us`` the program was ready to run and no processor was free, microseconds; None
    where the kernel does not tell."""
    retransmit_wait_method: WaitMethod | None = None
    """How ``handshake.retransmit_wait_us`` was found."""
    negotiated: Negotiated | None = None
    """When connected."""
    fast_open: FastOpenReport | None = None
    """When asked for."""
    data: DataReport | None = None
    """When asked for, and connected."""
    interrupted: bool = False
    """Ctrl-C ended it before it was over: what had come of it until then, which says nothing of the target."""

    @property
    def established(self) -> bool:
        """The handshake was completed."""
        return self.ending == "established"

    @property
    def satisfied(self) -> bool:
        """Connected, and where data was waited for, it came."""
        return self.established and (self.data is None or self.data.end == "first_byte")

    @property
    def fast_open_withheld(self) -> bool:
        """The SYN asked for nothing and carried nothing, though Fast Open is on: the kernel's pause after a black hole.

        A kernel before Linux 5.5 has no ``tcpi_fastopen_client_fail``: there every SYN without data looks so.
        """
        report = self.fast_open
        if report is None or report.disabled or not self.handshake.syn_sent:
            return False
        return report.syn_data_bytes is None and report.failure is None

    @property
    def syn_retransmissions(self) -> int:
        """How often the SYN was sent again."""
        return max((self.handshake.syn_sent or 0) - 1, 0)


@dataclass(frozen=True, slots=True)
class FastOpenCounts:
    """What became of Fast Open in many connects to one address."""

    tried: int = 0
    """Connects that asked for it, and that this host did not make ordinary ones."""
    established: int = 0
    """Of these, completed."""
    carried: int = 0
    """Of these tried, with data in the SYN: this host had a cookie."""
    accepted: int = 0
    """Of these carried, acknowledged."""
    eaten: int = 0
    """Of these carried, unanswered until the SYN was sent again without data, and then completed."""
    carried_established: int = 0
    """Of these carried, completed: only they show what becomes of the data."""
    withheld: int = 0
    """Of these established, with a SYN that neither asked for a cookie nor carried data: this host paused."""


@dataclass(frozen=True, slots=True)
class ProbeSummary:
    """The numbers of the connects to one address."""

    attempts: int = 0
    """Connects."""
    established: int = 0
    """Of these, completed."""
    satisfied: int = 0
    """Of these, with data where data was waited for."""
    endings: Counts = field(default_factory=dict)
    """{ending: how many}."""
    syn_sent: int = 0
    """SYNs sent, retransmissions included."""
    syn_lost: int = 0
    """Of these, without an answer (a SYN whose SYN-ACK was lost looks the same)."""
    connect_us: Latency | None = None
    """Wall time of connect(), of those that were established. None: of none."""
    rtt_us: Latency | None = None
    """The kernel's SYN round trip, where it is valid."""
    first_byte_us: Latency | None = None
    """End of the handshake to the first byte, where it came."""
    jitter_us: float | None = None
    """Mean difference between the times of one connect and the next, both established, microseconds."""
    fast_open: FastOpenCounts | None = None
    """Of connects with Fast Open only."""


@dataclass(frozen=True, slots=True)
class TargetReport:
    """All that was found out about one target."""

    target: Target
    """As it was asked."""
    addresses: tuple[str, ...] = ()
    """What its name stands for."""
    resolve_us: float | None = None
    """What finding that out took, microseconds; None for an address."""
    error: str | None = None
    """Why there is no address."""
    summaries: Mapping[str, ProbeSummary] = field(default_factory=dict)
    """{address: numbers of the ordinary connects to it}."""
    fast_open: Mapping[str, ProbeSummary] = field(default_factory=dict)
    """{address: numbers of the connects with Fast Open; times only of those with data in the SYN}."""
    reachable: bool = False
    """A connect to it ended as it should; with every address asked for, one to each of them."""


@dataclass(frozen=True, slots=True)
class FastOpenLocal:
    """What this host says about Fast Open; None where it does not say."""

    setting: int | None = None
    """``net.ipv4.tcp_fastopen``."""

    @property
    def client_enabled(self) -> bool | None:
        """Bit 0x1 of the setting."""
        return None if self.setting is None else bool(self.setting & 1)
