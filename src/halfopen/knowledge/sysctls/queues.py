"""Settings of the SYN queue and the accept queue."""

from __future__ import annotations

from halfopen.knowledge.kernel_version import KernelVersion
from halfopen.knowledge.sysctls.row import BYTES_SINCE, INT_MAX, INT_MIN, Sysctl

ROWS = (
    Sysctl(
        key="net.core.somaxconn",
        default="4096",
        earlier_default=(KernelVersion(5, 4), "128"),
        accepts=(0, INT_MAX),
        sensible=(1, INT_MAX),
        effect="listen",
        does="Caps the backlog that a program passes to listen(), and with it both queues of that listener.",
        myth="it raises the queues of running programs, and reaches containers",
        facts=(2, 3, 4, 117),
    ),
    Sysctl(
        key="net.ipv4.tcp_max_syn_backlog",
        accepts=(INT_MIN, INT_MAX),
        sensible=(1, INT_MAX),
        effect="packet",
        does="With tcp_syncookies = 0 only: SYNs of unknown peers are dropped when three quarters of it are half-open.",
        myth="it is the size of the half-open queue; that is the listener's own backlog, since 4.4",
        facts=(4, 5, 6, 7, 8),
    ),
    Sysctl(
        key="net.ipv4.tcp_syncookies",
        default="1",
        accepts=(0, 255),
        bounded_since=BYTES_SINCE,
        sensible=(0, 2),
        effect="packet",
        does="1: answers with SYN cookies when the SYN queue of a listener is full; 2: always (a test mode); 0: never.",
        myth="2 is stronger, and cookies cost window scaling; they do so only for clients without timestamps",
        facts=(9, 27, 28, 34),
    ),
    Sysctl(
        key="net.ipv4.tcp_abort_on_overflow",
        default="0",
        accepts=(0, 255),
        bounded_since=BYTES_SINCE,
        sensible=(0, 1),
        effect="packet",
        does="Answers the last ACK of a handshake with RST when the accept queue is full; SYNs stay unanswered.",
        myth="it fixes overflows",
        facts=(12, 13, 14),
    ),
    Sysctl(
        key="net.ipv4.tcp_migrate_req",
        default="0",
        accepts=(0, 1),
        since=KernelVersion(5, 14),
        effect="packet",
        does="Gives the pending connections of a closing SO_REUSEPORT listener to the others of its group.",
        facts=(71,),
    ),
    Sysctl(
        key="net.core.netdev_max_backlog",
        default="1000",
        scope="global",
        effect="packet",
        does="Bounds the receive queue of each processor between the driver, loopback or veth and the protocol.",
        myth="it is a queue of SYNs or of connections",
        facts=(117,),
    ),
    Sysctl(
        key="net.ipv4.tcp_invalid_ratelimit",
        default="500",
        accepts=(0, INT_MAX),
        effect="packet",
        does="Milliseconds between two answers to duplicate SYNs or out-of-window segments of one connection.",
        facts=(26, 93),
    ),
)
