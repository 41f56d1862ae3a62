"""Settings of retransmission: how long a handshake goes on."""

from __future__ import annotations

from halfopen.knowledge.kernel_version import KernelVersion
from halfopen.knowledge.sysctls.row import BYTES_SINCE, INT_MAX, Sysctl

ROWS = (
    Sysctl(
        key="net.ipv4.tcp_syn_retries",
        default="6",
        accepts=(1, 127),
        effect="timer",
        does="SYN retransmissions with doubling waits; tcp_syn_linear_timeouts (6.5) adds tries one second apart.",
        myth="3 gives up after 15 s; since 6.5 it is 19.4 s",
        facts=(19, 20, 21),
    ),
    Sysctl(
        key="net.ipv4.tcp_syn_linear_timeouts",
        default="4",
        accepts=(0, 127),
        since=KernelVersion(6, 5),
        effect="timer",
        does="SYN retransmissions one second apart before the waits begin to double.",
        facts=(19, 20),
    ),
    Sysctl(
        key="net.ipv4.tcp_synack_retries",
        default="5",
        accepts=(0, 255), bounded_since=BYTES_SINCE,
        effect="timer",
        does="SYN-ACK retransmissions before a half-open connection is given up: 63.9 s with 5, 7.4 s with 2.",
        myth="2 defends against SYN floods; the kernel prunes to 7 s by itself once a queue is half full",
        facts=(17, 20, 21, 23, 24),
    ),
    Sysctl(
        key="net.ipv4.tcp_rto_max_ms",
        default="120000",
        accepts=(1000, 120000),
        since=KernelVersion(6, 15),
        effect="socket",
        does="Caps the retransmission timeout of new sockets; SYN-ACKs are not capped.",
        facts=(22, 25),
    ),
    Sysctl(
        key="net.ipv4.tcp_rto_min_us",
        default="200000",
        accepts=(1, INT_MAX),
        since=KernelVersion(6, 11),
        effect="socket",
        does="The smallest retransmission timeout of new sockets, in microseconds; the first SYN still waits 1 s.",
        facts=(26,),
    ),
    Sysctl(
        key="net.ipv4.tcp_retries1", default="3", accepts=(0, 255), effect="timer", facts=(125,),
        does="Retransmissions of an established connection after which the route is doubted.",
    ),
    Sysctl(
        key="net.ipv4.tcp_retries2", default="15", accepts=(0, 255),
        bounded_since=BYTES_SINCE, effect="timer", facts=(125,),
        does="Retransmissions after which an established connection is given up; not a matter of handshakes.",
    ),
    Sysctl(
        key="net.ipv4.tcp_orphan_retries", default="0", accepts=(0, 255),
        bounded_since=BYTES_SINCE, effect="timer", facts=(90,),
        does="Retransmissions after which a connection without a process is given up; 0 stands for 8.",
    ),
)  # fmt: skip
