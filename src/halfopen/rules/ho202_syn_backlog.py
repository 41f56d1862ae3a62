"""HO202: tcp_max_syn_backlog was raised, and is not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.cookies import SYNCOOKIES, mode
from halfopen.rules.setting_rule import Judgement, SettingRule
from halfopen.rules.syn_queue import MAX_SYN_BACKLOG

if TYPE_CHECKING:
    from halfopen.rules.space import Space

#: tcp_init(): max(128, entries of the table of established connections / 128).
DEFAULT_MIN, ENTRIES_EACH = 128, 128


class SynBacklog(SettingRule):
    """`tcp_max_syn_backlog` was raised, and is not read while SYN cookies are on.

    ## What it finds
    `net.ipv4.tcp_max_syn_backlog` above its default, with `tcp_syncookies` that is not 0.

    ## Why it matters
    Since Linux 4.4 the SYN queue of a listener is as long as its backlog. `tcp_max_syn_backlog` is consulted only when
    cookies are off. Who raised it against a full SYN queue has changed nothing, and the queue is still full.

    ## Evidence
    The setting, and `tcp_syncookies`.

    ## Confirm by hand
    `ss -Htan state syn-recv | wc -l` stops at the listener's `Send-Q` and one more, whatever the setting is.

    ## Remedy
    Raise the listener's backlog (and `net.core.somaxconn`) where a SYN queue is full. The setting itself does no harm.

    ## When it is wrong
    Where cookies are to be turned off later.

    ## References
    Linux `net/ipv4/tcp_input.c` `tcp_conn_request`, `include/net/inet_connection_sock.h`
    `inet_csk_reqsk_queue_is_full`.
    """

    code = "HO202"
    name = "syn-backlog-without-effect"
    severity = "notice"
    harm = "untidy"
    proof = "syn-queue-limits"
    key = MAX_SYN_BACKLOG
    advice = "Nothing needs to be done; a SYN queue grows with the listener's own backlog."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """Raised, and not read."""
        entries = space.sysctl("net.ipv4.tcp_ehash_entries")
        if entries is None or mode(space) in {None, "never"} or value <= max(DEFAULT_MIN, abs(entries) // ENTRIES_EACH):
            return None
        return Judgement(
            "It is read only when SYN cookies are off: the SYN queue is as long as the listener's backlog.",
            (space.setting(SYNCOOKIES),),
        )
