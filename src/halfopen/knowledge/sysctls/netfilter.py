"""Settings of connection tracking, of routing and of addresses that decide whether a SYN reaches TCP at all."""

from __future__ import annotations

from halfopen.knowledge.sysctls.row import INT_MAX, INT_MIN, Sysctl

_CONNTRACK = "net.netfilter.nf_conntrack_tcp_timeout_"

ROWS = (
    Sysctl(
        key="net.netfilter.nf_conntrack_max", scope="global", effect="module", facts=(80, 81, 82, 123, 131),
        does="The most connections tracked, in each namespace; full of assured entries, new ones are dropped.",
    ),
    Sysctl(
        key="net.nf_conntrack_max", scope="global", effect="module", facts=(81, 123),
        does="Another name of net.netfilter.nf_conntrack_max.",
    ),
    Sysctl(
        key="net.netfilter.nf_conntrack_buckets", scope="global", effect="module", facts=(81, 123),
        does="The size of the hash table of tracked connections.",
    ),
    Sysctl(
        key="net.netfilter.nf_conntrack_count", read_only=True, effect="never", facts=(81, 118),
        does="The connections tracked now.",
    ),
    Sysctl(
        key="net.netfilter.nf_conntrack_tcp_loose", default="1", effect="module", facts=(35, 82),
        does="1: tracks connections that began before; SYNPROXY needs 0.",
    ),
    Sysctl(
        key=f"{_CONNTRACK}syn_sent", default="120", effect="module", facts=(82,),
        does="Seconds that the firewall remembers an unanswered SYN.",
    ),
    Sysctl(
        key=f"{_CONNTRACK}syn_recv", default="60", effect="module", facts=(82,),
        does="Seconds that the firewall remembers a half-open connection.",
    ),
    Sysctl(
        key=f"{_CONNTRACK}established", default="432000", effect="module", facts=(82,),
        does="Seconds that the firewall remembers an idle connection.",
    ),
    Sysctl(
        key=f"{_CONNTRACK}time_wait", default="120", effect="module", facts=(82,),
        does="Seconds that the firewall remembers a closed connection; TCP's own TIME_WAIT stays 60 s.",
        myth="it shortens TIME_WAIT",
    ),
    Sysctl(
        key="net.ipv4.conf.*.rp_filter", default="0", accepts=(INT_MIN, INT_MAX), sensible=(0, 2),
        effect="packet", facts=(83, 120),
        does="1: drops packets whose source routes elsewhere; 2: whose source has no route. The larger of all and the "
        "interface counts.",
    ),
    Sysctl(
        key="net.ipv4.ip_forward", default="0", effect="packet", facts=(120,),
        does="Routes packets; writing it resets other keys below conf.",
    ),
    Sysctl(
        key="net.ipv4.route.flush", count=0, transient=True, effect="packet", facts=(119,),
        does="Writing it flushes the cache of routes; it cannot be read.",
    ),
    Sysctl(
        key="net.ipv6.route.flush", count=0, transient=True, effect="packet", facts=(119,),
        does="Writing it flushes the cache of routes; it cannot be read.",
    ),
    Sysctl(
        key="net.ipv4.tcp_available_congestion_control", count=0, read_only=True, effect="never", facts=(118,),
        does="The congestion controls that are loaded.",
    ),
    Sysctl(
        key="net.ipv4.tcp_available_ulp", count=0, scope="global", read_only=True, effect="never", facts=(117,),
        does="The upper-layer protocols that are loaded.",
    ),
    Sysctl(
        key="net.ipv4.tcp_ehash_entries", read_only=True, effect="never", facts=(117, 118),
        does="The size of the table of established connections; negative: shared with the host.",
    ),
)  # fmt: skip
