"""Settings of TIME_WAIT, of FIN_WAIT_2 and of connections without a process."""

from __future__ import annotations

from halfopen.knowledge.kernel_version import KernelVersion
from halfopen.knowledge.sysctls.row import BYTES_SINCE, INT_MAX, INT_MIN, Sysctl

ROWS = (
    Sysctl(
        key="net.ipv4.tcp_tw_reuse",
        default="2",
        earlier_default=(KernelVersion(4, 19), "0"),
        accepts=(0, 2),
        bounded_since=KernelVersion(4, 19),
        effect="connect",
        does="Lets connect() take a four-tuple in TIME_WAIT after one second, with timestamps on; 2: loopback only.",
        myth="it helps servers; it never touches the TIME_WAIT of accepted connections",
        facts=(37, 38, 40, 42, 43),
    ),
    Sysctl(
        key="net.ipv4.tcp_tw_reuse_delay",
        default="1000",
        accepts=(1, 60000),
        since=KernelVersion(6, 14),
        effect="connect",
        does="Milliseconds that a TIME_WAIT must be old before tcp_tw_reuse may take it.",
        facts=(39,),
    ),
    Sysctl(
        key="net.ipv4.tcp_tw_recycle",
        until=KernelVersion(4, 11),
        effect="packet",
        does="Dropped SYNs whose timestamp was older than the last one of that address: clients behind NAT.",
        myth="it should be enabled",
        facts=(36, 121),
    ),
    Sysctl(
        key="net.ipv4.tcp_fin_timeout",
        default="60",
        accepts=(-(INT_MAX // 250), INT_MAX // 250),  # it is kept in ticks: 250 a second where it was measured
        sensible=(1, 3600),
        effect="close",
        does="Seconds that a FIN_WAIT_2 connection without a process is kept; TIME_WAIT is always 60 s.",
        myth="it is the length of TIME_WAIT",
        facts=(44, 45, 46, 47),
    ),
    Sysctl(
        key="net.ipv4.tcp_max_tw_buckets",
        accepts=(INT_MIN, INT_MAX),
        sensible=(0, INT_MAX),
        effect="close",
        does="The most TIME_WAIT sockets; beyond it connections end without TIME_WAIT and late segments meet a RST.",
        myth="lower saves resources; an entry takes 256 bytes",
        facts=(8, 48, 132),
    ),
    Sysctl(
        key="net.ipv4.tcp_rfc1337",
        default="0",
        accepts=(0, 255),
        bounded_since=BYTES_SINCE,
        sensible=(0, 1),
        effect="packet",
        does="1: a RST does not end TIME_WAIT; a reconnect with an old sequence number then hangs up to 60 s.",
        myth="1 is safer; the kernel's own document describes it the wrong way round",
        facts=(49,),
    ),
    Sysctl(
        key="net.ipv4.tcp_max_orphans",
        scope="global",
        effect="close",
        does="The most sockets without a process on the whole host; beyond it they are reset.",
        facts=(8, 117),
    ),
)
