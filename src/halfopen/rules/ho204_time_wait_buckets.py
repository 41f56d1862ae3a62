"""HO204: tcp_max_tw_buckets is low, and connections end without TIME_WAIT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.rules.setting_rule import Judgement, SettingRule

if TYPE_CHECKING:
    from halfopen.rules.space import Space

#: Nearly there: TIME_WAIT varies by more than that within seconds.
NEAR_SHARE = 0.9


class TimeWaitBuckets(SettingRule):
    """`tcp_max_tw_buckets` is low: beyond it, connections end without TIME_WAIT.

    ## What it finds
    `net.ipv4.tcp_max_tw_buckets` below its default (half of the table of established connections), TIME_WAIT near it,
    or `TCPTimeWaitOverflow` that moves.

    ## Why it matters
    Beyond the limit a connection that this side closes is dropped without TIME_WAIT. The peer's last FIN then meets a
    RST, late segments may hit the next connection, and nothing is logged. An entry costs 256 bytes: there is nothing to
    save.

    ## Evidence
    The setting, the default that follows from `tcp_ehash_entries`, TIME_WAIT now, `TCPTimeWaitOverflow`.

    ## Confirm by hand
    `nstat -az TcpExtTCPTimeWaitOverflow`, `ss -s`, `sysctl net.ipv4.tcp_max_tw_buckets`.

    ## Remedy
    Set it to the default or above. If TIME_WAIT costs ports, see HO301.

    ## When it is wrong
    A machine with very little memory.

    ## References
    Linux `net/ipv4/inet_timewait_sock.c` `inet_twsk_alloc`, `net/ipv4/tcp_ipv4.c` `tcp_set_hashinfo`.
    """

    code = "HO204"
    name = "time-wait-buckets-lowered"
    severity = "notice"
    harm = "risk"
    proof = "time-wait-limits"
    key = "net.ipv4.tcp_max_tw_buckets"
    advice = "Set it back to the default, or above."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """Overflowing, near, or merely low."""
        if value < 0:  # no limit
            return None
        entries = space.sysctl("net.ipv4.tcp_ehash_entries")
        default = None if not entries else abs(entries) // 2  # negative: a table that is shared with the host
        # sockstat counts what the limit counts: FIN_WAIT_2 without a process, too.
        waiting = space.now.sockstat.get("TCP", {}).get("tw")
        facts = (
            Evidence("the default here", default, None, "/proc/sys/net/ipv4/tcp_ehash_entries / 2")
            if default
            else None,
            Evidence("TIME_WAIT now", waiting, "sockets", "/proc/net/sockstat TCP tw") if waiting is not None else None,
            space.counted("TCPTimeWaitOverflow", "connections ended without TIME_WAIT", "connections"),
        )
        want = str(default) if default else None
        if space.grown("TCPTimeWaitOverflow"):
            cause = "The limit is reached: connections end without TIME_WAIT, and their peers get a RST."
            return Judgement(cause, facts, "warning", "failing", want=want)
        if value and waiting is not None and waiting >= NEAR_SHARE * value:
            return Judgement(
                "TIME_WAIT is close to the limit; beyond it peers get a RST.", facts, "warning", "growing", want=want
            )
        if default is not None and value < default:
            return Judgement(
                "Beyond it connections end without TIME_WAIT, and their peers get a RST.", facts, want=want
            )
        return None
