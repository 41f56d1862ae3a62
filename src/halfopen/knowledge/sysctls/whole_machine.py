"""Keys below ``net.`` that belong to the whole machine: a new network namespace lacks them, or shows them read-only.

Measured on Linux 6.18.44: ``find /proc/sys/net`` beside ``unshare -n find /proc/sys/net``. Keys have become a
namespace's own over the years, and none has gone the other way: what is here was so on earlier kernels too.
"""

from __future__ import annotations

_BY_PARENT = {
    "net": "nf_conntrack_max",
    "net.core": """
        bpf_jit_enable bpf_jit_harden bpf_jit_kallsyms bpf_jit_limit busy_poll busy_read default_qdisc
        dev_weight dev_weight_rx_bias dev_weight_tx_bias devconf_inherit_init_net
        fb_tunnels_only_for_init_net flow_limit_cpu_bitmap flow_limit_table_len gro_normal_batch
        high_order_alloc_disable max_skb_frags mem_pcpu_rsv message_burst message_cost netdev_budget
        netdev_budget_usecs netdev_max_backlog netdev_tstamp_prequeue netdev_unregister_timeout_secs
        rmem_default rmem_max rps_sock_flow_entries skb_defer_max warnings wmem_default wmem_max
    """,
    "net.ipv4": """
        fib_sync_mem inet_peer_maxttl inet_peer_minttl inet_peer_threshold ipfrag_secret_interval
        tcp_allowed_congestion_control tcp_low_latency tcp_max_orphans tcp_mem udp_mem
    """,
    "net.ipv4.route": """
        error_burst error_cost gc_elasticity gc_interval gc_min_interval gc_min_interval_ms gc_thresh
        gc_timeout max_size redirect_load redirect_number redirect_silence
    """,
    "net.netfilter": "nf_conntrack_buckets nf_conntrack_expect_max nf_conntrack_max nf_log_all_netns",
}

OF_WHOLE_MACHINE = frozenset(f"{parent}.{name}" for parent, names in _BY_PARENT.items() for name in names.split())
"""Keys with dots."""
