"""What the kernel's TCP counters count: ``/proc/net/snmp`` and ``/proc/net/netstat``, as ``nstat`` shows them.

All of them are counted for each network namespace, IPv4 and IPv6 together. A counter that is not here counts something
of established connections that says nothing about handshakes, or has a name that says it all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["loss", "sign", "ordinary"]
Unit = Literal["connections", "packets", "sockets", "events"]


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter."""

    name: str
    """As the kernel spells it; unique among the groups in this table."""
    group: str
    """``Tcp`` and ``Ip`` of /proc/net/snmp, ``TcpExt`` of /proc/net/netstat."""
    unit: Unit
    """What one of it is."""
    kind: Kind
    """``loss``: something was dropped, refused or given up. ``sign``: worth knowing. ``ordinary``: traffic."""
    meaning: str
    """One sentence, without the name."""
    source: str
    """Where the kernel counts it (Linux 6.12), or what else proves the sentence."""


def _tcp_ext(name: str, unit: Unit, kind: Kind, meaning: str, source: str) -> Counter:
    return Counter(name, "TcpExt", unit, kind, meaning, source)


#: In the order in which they are worth reading.
COUNTERS: tuple[Counter, ...] = (
    # --- the listener's queues ----------------------------------------------------------------------------------------
    _tcp_ext(
        "ListenOverflows",
        "packets",
        "loss",
        "SYNs or final ACKs dropped because an accept queue was full: the application accepts too slowly, or its "
        "backlog is too small; each retransmission counts again",
        "tcp_conn_request, tcp_v4_syn_recv_sock",
    ),
    _tcp_ext(
        "ListenDrops",
        "packets",
        "loss",
        "every drop at a listener, those of ListenOverflows included (never add the two): full queue, no memory, no "
        "route back, a veto; packets, not connections",
        "tcp_listendrop",
    ),
    _tcp_ext(
        "TCPReqQFullDrop",
        "packets",
        "loss",
        "SYNs dropped because a SYN queue was full while SYN cookies are off (tcp_syncookies=0)",
        "tcp_syn_flood_action",
    ),
    _tcp_ext(
        "TCPReqQFullDoCookies",
        "packets",
        "sign",
        "SYNs that met a full SYN queue, or tcp_syncookies=2, and were to be answered with a SYN cookie",
        "tcp_syn_flood_action",
    ),
    _tcp_ext("SyncookiesSent", "packets", "sign", "SYN-ACKs with a SYN cookie sent", "cookie_init_sequence"),
    _tcp_ext(
        "SyncookiesRecv",
        "packets",
        "sign",
        "ACKs with a valid SYN cookie, even where the connection was then dropped",
        "cookie_v4_check",
    ),
    _tcp_ext(
        "SyncookiesFailed",
        "packets",
        "loss",
        "ACKs without a valid SYN cookie, at a listener that had sent one in the last 2 minutes: late or forged ACKs, "
        "or those of connections older than the listener",
        "cookie_v4_check, tcp_synq_no_recent_overflow",
    ),
    _tcp_ext(
        "EmbryonicRsts",
        "connections",
        "loss",
        "half-open connections ended by an RST: the client's, or this host's with tcp_abort_on_overflow=1",
        "tcp_check_req",
    ),
    _tcp_ext(
        "TCPDeferAcceptDrop",
        "packets",
        "ordinary",
        "final ACKs without data that TCP_DEFER_ACCEPT held back: its normal work",
        "tcp_check_req",
    ),
    _tcp_ext(
        "TCPMigrateReqSuccess",
        "connections",
        "sign",
        "connections of a closed listener that another of its SO_REUSEPORT group took over (tcp_migrate_req)",
        "inet_csk_listen_stop, inet_reqsk_clone",
    ),
    _tcp_ext(
        "TCPMigrateReqFailure",
        "connections",
        "loss",
        "connections of a closed listener that no other could take over",
        "inet_csk_listen_stop",
    ),
    # --- the handshake's packets --------------------------------------------------------------------------------------
    _tcp_ext(
        "TCPSynRetrans",
        "packets",
        "loss",
        "SYNs and SYN-ACKs sent again: the first one, or its answer, was lost or dropped; on a server alone these are "
        "SYN-ACKs",
        "tcp_retransmit_skb, tcp_rtx_synack",
    ),
    _tcp_ext(
        "TCPTimeouts",
        "events",
        "loss",
        "retransmission timers that ran out, of connections and of half-open ones, whose last expiry counts too",
        "tcp_retransmit_timer, reqsk_timer_handler",
    ),
    _tcp_ext(
        "TcpTimeoutRehash",
        "events",
        "sign",
        "sockets that chose another path hash after a timeout: one for each SYN timeout, among others",
        "tcp_write_timeout",
    ),
    Counter(
        "RetransSegs",
        "Tcp",
        "packets",
        "loss",
        "segments sent again, SYNs and SYN-ACKs among them",
        "__tcp_retransmit_skb",
    ),
    Counter(
        "AttemptFails",
        "Tcp",
        "connections",
        "loss",
        "handshakes that failed: refused, timed out, or reset while half-open; not the SYNs that a queue dropped",
        "tcp_done, tcp_check_req; RFC 4022",
    ),
    Counter(
        "OutRsts",
        "Tcp",
        "packets",
        "sign",
        "RSTs sent: for closed ports, aborted connections, and sockets closed with unread data",
        "tcp_v4_send_reset",
    ),
    Counter(
        "EstabResets",
        "Tcp",
        "connections",
        "sign",
        "open connections ended by an RST, received or sent",
        "tcp_set_state; RFC 4022",
    ),
    _tcp_ext(
        "TCPACKSkippedSynRecv",
        "packets",
        "sign",
        "answers to repeated SYNs that the rate limit held back (tcp_invalid_ratelimit)",
        "tcp_oow_rate_limited",
    ),
    _tcp_ext(
        "TCPChallengeACK",
        "packets",
        "sign",
        "challenge ACKs sent to RSTs or SYNs that do not fit their connection (RFC 5961)",
        "tcp_send_challenge_ack",
    ),
    _tcp_ext(
        "TCPSYNChallenge",
        "packets",
        "sign",
        "SYNs within open connections, answered by a challenge ACK (RFC 5961 section 4)",
        "tcp_validate_incoming",
    ),
    _tcp_ext(
        "TSEcrRejected",
        "packets",
        "loss",
        "final ACKs refused because they echo a timestamp that was never sent (Linux 6.15)",
        "tcp_check_req",
    ),
    _tcp_ext(
        "PAWSActive",
        "packets",
        "loss",
        "SYN-ACKs refused because they echo a wrong timestamp",
        "tcp_rcv_synsent_state_process",
    ),
    _tcp_ext(
        "PAWSEstab",
        "packets",
        "loss",
        "segments of open connections refused for an old timestamp (RFC 7323)",
        "tcp_validate_incoming",
    ),
    _tcp_ext(
        "PAWSTimewait",
        "packets",
        "loss",
        "segments refused by a TIME_WAIT for an old timestamp (Linux 6.14)",
        "tcp_timewait_state_process",
    ),
    # --- TIME_WAIT ----------------------------------------------------------------------------------------------------
    _tcp_ext(
        "TW",
        "sockets",
        "sign",
        "sockets that entered TIME_WAIT, or an orphaned FIN_WAIT_2 that is kept as one, for 60 s",
        "__inet_twsk_schedule",
    ),
    _tcp_ext(
        "TWKilled",
        "sockets",
        "sign",
        "orphaned FIN_WAIT_2 sockets kept for 4 s or less (a low tcp_fin_timeout); nothing was killed",
        "__inet_twsk_schedule",
    ),
    _tcp_ext(
        "TWRecycled",
        "sockets",
        "sign",
        "TIME_WAIT sockets whose port connect() took again (tcp_tw_reuse, or SO_REUSEADDR with a chosen port)",
        "__inet_check_established",
    ),
    _tcp_ext(
        "TCPTimeWaitOverflow",
        "sockets",
        "loss",
        "closed without TIME_WAIT because tcp_max_tw_buckets were reached; the peer's FIN may get an RST",
        "tcp_time_wait",
    ),
    # --- Fast Open ----------------------------------------------------------------------------------------------------
    _tcp_ext(
        "TCPFastOpenActive",
        "connections",
        "sign",
        "own connections whose data in the SYN was acknowledged",
        "tcp_rcv_fastopen_synack",
    ),
    _tcp_ext(
        "TCPFastOpenActiveFail",
        "connections",
        "loss",
        "own connections whose data in the SYN was not acknowledged, or whose SYN had to be sent again",
        "tcp_rcv_fastopen_synack",
    ),
    _tcp_ext(
        "TCPFastOpenPassive", "connections", "sign", "connections accepted with data in their SYN", "tcp_try_fastopen"
    ),
    _tcp_ext(
        "TCPFastOpenPassiveFail",
        "packets",
        "loss",
        "SYNs with a Fast Open cookie that was not valid",
        "tcp_try_fastopen",
    ),
    _tcp_ext(
        "TCPFastOpenListenOverflow",
        "packets",
        "loss",
        "Fast Open SYNs that fell back to a normal handshake because the listener's TCP_FASTOPEN queue was full",
        "tcp_fastopen_queue_check",
    ),
    _tcp_ext(
        "TCPFastOpenCookieReqd",
        "packets",
        "sign",
        "SYNs that asked for a Fast Open cookie, granted or not",
        "tcp_try_fastopen",
    ),
    _tcp_ext(
        "TCPFastOpenBlackhole",
        "events",
        "loss",
        "times that Fast Open was switched off for a while because a path seems to swallow it",
        "tcp_fastopen_active_disable",
    ),
    # --- aborted connections ------------------------------------------------------------------------------------------
    _tcp_ext(
        "TCPAbortOnData",
        "connections",
        "sign",
        "connections reset by their own close: SO_LINGER 0, or data that came after it",
        "tcp_disconnect, tcp_close",
    ),
    _tcp_ext(
        "TCPAbortOnClose",
        "connections",
        "sign",
        "connections reset because they were closed with unread data",
        "__tcp_close",
    ),
    _tcp_ext(
        "TCPAbortOnTimeout",
        "connections",
        "loss",
        "connections given up after their last retransmission, connects that timed out included",
        "tcp_write_err",
    ),
    _tcp_ext(
        "TCPAbortOnMemory",
        "connections",
        "loss",
        "connections reset for want of memory, or too many orphans",
        "tcp_out_of_resources",
    ),
    _tcp_ext(
        "TCPAbortFailed",
        "connections",
        "loss",
        "resets that could not be sent for want of memory",
        "tcp_send_active_reset",
    ),
    # --- drops elsewhere ----------------------------------------------------------------------------------------------
    _tcp_ext(
        "IPReversePathFilter",
        "packets",
        "loss",
        "packets dropped because their source is routed through another interface (rp_filter)",
        "ip_route_input_slow",
    ),
    _tcp_ext(
        "TCPBacklogDrop",
        "packets",
        "loss",
        "segments dropped because a socket's own backlog was full while a process held it; not the listen backlog",
        "tcp_add_backlog",
    ),
    _tcp_ext(
        "PFMemallocDrop",
        "packets",
        "loss",
        "packets dropped because they used the memory reserve",
        "sk_filter_trim_cap",
    ),
    _tcp_ext("TCPRcvQDrop", "packets", "loss", "data dropped because the receive queue was full", "tcp_data_queue"),
    _tcp_ext("TCPMinTTLDrop", "packets", "loss", "packets dropped for a TTL below IP_MINTTL", "tcp_v4_rcv"),
    Counter("InErrs", "Tcp", "packets", "loss", "bad segments: wrong checksum or length", "tcp_v4_rcv; RFC 4022"),
    Counter("InCsumErrors", "Tcp", "packets", "loss", "segments with a wrong checksum", "tcp_v4_rcv"),
    Counter(
        "OutNoRoutes",
        "Ip",
        "packets",
        "loss",
        "packets without a route to their destination",
        "ip_route_output_flow; RFC 4293",
    ),
    # --- ordinary traffic ---------------------------------------------------------------------------------------------
    Counter(
        "ActiveOpens",
        "Tcp",
        "connections",
        "ordinary",
        "connects begun: a SYN was made; one that found no port is not counted",
        "tcp_connect; RFC 4022",
    ),
    Counter(
        "PassiveOpens",
        "Tcp",
        "connections",
        "ordinary",
        "handshakes completed at a listener, accepted or not",
        "tcp_create_openreq_child; RFC 4022",
    ),
    Counter("InSegs", "Tcp", "packets", "ordinary", "segments received", "tcp_v4_rcv; RFC 4022"),
    Counter(
        "OutSegs",
        "Tcp",
        "packets",
        "ordinary",
        "segments sent, retransmissions excluded",
        "__tcp_transmit_skb; RFC 4022",
    ),
)

BY_NAME: dict[str, Counter] = {counter.name: counter for counter in COUNTERS}
