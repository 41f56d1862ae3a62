"""``TCP_INFO`` of a socket that an experiment holds: the few fields that the experiments look at."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

#: struct tcp_info up to tcpi_total_retrans, include/uapi/linux/tcp.h.
_LAYOUT = struct.Struct("=8B24I")
_TIMESTAMPS, _SACK, _WINDOW_SCALE, _ECN, _SYN_DATA = 1, 2, 4, 8, 32
_RTO, _SND_MSS, _RTT, _TOTAL_RETRANS = 8, 10, 23, 31


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What the kernel knows of a connection."""

    timestamps: bool
    sack: bool
    window_scale: bool
    ecn: bool
    syn_data: bool
    """The data in the SYN was acknowledged."""
    send_scale: int
    """Window scale of the peer."""
    send_mss: int
    """Bytes of data in a full segment."""
    rto_us: int
    """After which an unanswered segment is sent again."""
    rtt_us: int
    total_retrans: int
    """Segments sent again, SYN or SYN-ACK included."""

    @classmethod
    def of(cls, connection: socket.socket) -> TcpInfo:
        """Read it now."""
        data = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAYOUT.size)
        words = _LAYOUT.unpack(data)
        options, scales = words[5], words[6]
        return cls(
            bool(options & _TIMESTAMPS),
            bool(options & _SACK),
            bool(options & _WINDOW_SCALE),
            bool(options & _ECN),
            bool(options & _SYN_DATA),
            scales & 0xF,
            words[_SND_MSS],
            words[_RTO],
            words[_RTT],
            words[_TOTAL_RETRANS],
        )

    @property
    def survived(self) -> str:
        """The options of the handshake that are in force, in words."""
        names = {
            "timestamps": self.timestamps,
            "SACK": self.sack,
            "window scaling": self.window_scale,
            "ECN": self.ecn,
        }
        return ", ".join(name for name, there in names.items() if there) or "none"
