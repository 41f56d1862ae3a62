"""Settings of TCP options, Fast Open, metrics and memory."""

from __future__ import annotations

from halfopen.knowledge.kernel_version import KernelVersion
from halfopen.knowledge.sysctls.row import BYTES_SINCE, INT_MAX, INT_MIN, Sysctl

ROWS = (
    Sysctl(
        key="net.ipv4.tcp_timestamps",
        default="1",
        accepts=(0, 255), bounded_since=BYTES_SINCE,
        sensible=(0, 2),
        effect="packet",
        does="Offers timestamps: PAWS, round trips of retransmitted segments, cookies with options, tcp_tw_reuse.",
        myth="0 saves bytes and hides the uptime",
        facts=(28, 38),
    ),
    Sysctl(
        key="net.ipv4.tcp_sack", default="1", accepts=(0, 255),
        bounded_since=BYTES_SINCE, sensible=(0, 1), effect="packet", facts=(28, 126),
        does="Offers selective acknowledgements in the SYN.",
    ),
    Sysctl(
        key="net.ipv4.tcp_window_scaling", default="1", accepts=(0, 255),
        bounded_since=BYTES_SINCE, sensible=(0, 1), effect="packet",
        facts=(28, 126),
        does="Offers window scaling in the SYN; without it windows end at 64 KB.",
    ),
    Sysctl(
        key="net.ipv4.tcp_ecn", default="2", accepts=(0, 2),
        bounded_since=BYTES_SINCE, effect="packet", facts=(26, 127),
        does="0: no ECN; 1: asks for it and accepts it; 2: accepts it.",
    ),
    Sysctl(
        key="net.ipv4.tcp_ecn_fallback", default="1", accepts=(0, 1),
        bounded_since=BYTES_SINCE, effect="packet", facts=(26,),
        does="Retransmits a SYN without ECN.",
    ),
    Sysctl(
        key="net.ipv4.tcp_fastopen",
        default="1",
        accepts=(INT_MIN, INT_MAX),
        sensible=(0, 0x607),
        effect="listen",
        does="Bits: 1 client, 2 server, 4 data without cookie, 0x200 accept it, 0x400 every new listener (with 2).",
        myth="3 turns Fast Open on; a listener also needs TCP_FASTOPEN or the bit 0x400",
        facts=(59, 60),
    ),
    Sysctl(
        key="net.ipv4.tcp_fastopen_blackhole_timeout_sec",
        default="0",
        earlier_default=(KernelVersion(5, 14), "3600"),
        accepts=(0, INT_MAX),
        effect="packet",
        does="Seconds that clients leave Fast Open alone after a black hole; 0: they try again at once.",
        facts=(66,),
    ),
    Sysctl(
        key="net.ipv4.tcp_fastopen_key", count=0, secret=True, effect="packet", facts=(66, 118),
        does="The key of Fast Open cookies, the same on every host behind a load balancer.",
    ),
    Sysctl(
        key="net.ipv6.conf.*.stable_secret", count=0, secret=True, effect="packet", facts=(118,),
        does="The secret of stable private IPv6 addresses.",
    ),
    Sysctl(
        key="net.ipv4.tcp_no_metrics_save", default="0", accepts=(0, 255),
        bounded_since=BYTES_SINCE, sensible=(0, 1), effect="close",
        facts=(108,),
        does="1: nothing is remembered of a peer; otherwise one lossy handshake raises the first timer of the next.",
    ),
    Sysctl(
        key="net.ipv4.tcp_rmem", count=3, accepts=(1, INT_MAX), effect="socket", facts=(117, 124),
        does="Least, first and largest receive buffer in bytes; the kernel does not check their order.",
    ),
    Sysctl(
        key="net.ipv4.tcp_wmem", count=3, accepts=(1, INT_MAX), effect="socket", facts=(117, 124),
        does="Least, first and largest send buffer in bytes; the kernel does not check their order.",
    ),
    Sysctl(
        key="net.ipv4.tcp_mem", count=3, scope="global", effect="packet", facts=(117,),
        does="Pages (not bytes) that all TCP buffers may take: low, pressure, high.",
        myth="it is in bytes",
    ),
    Sysctl(
        key="net.ipv4.tcp_congestion_control", count=0, effect="socket", facts=(117, 126),
        does="The congestion control of sockets that choose none.",
    ),
    Sysctl(
        key="net.ipv4.tcp_low_latency", scope="global", effect="packet", facts=(117,),
        does="Nothing: it is obsolete, and kept so that old files do not fail.",
        myth="it lowers latency",
    ),
)  # fmt: skip
