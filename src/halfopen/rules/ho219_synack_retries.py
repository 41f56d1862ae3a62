"""HO219: tcp_synack_retries was lowered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.syn_retries import syn_ack_gives_up_after_s
from halfopen.model.finding import Evidence
from halfopen.rules.setting_rule import Judgement, SettingRule

if TYPE_CHECKING:
    from halfopen.rules.space import Space

#: The default is 5. With 3 a client has 15 s, which nobody notices.
LOWERED_MAX = 2


class SynackRetries(SettingRule):
    """`tcp_synack_retries` was lowered: it defends against nothing, and costs clients on lossy paths.

    ## What it finds
    `net.ipv4.tcp_synack_retries` of 2 and less.

    ## Why it matters
    It is meant to make half-open requests of a flood go sooner. The kernel does that by itself: once a SYN queue is
    half full it gives up old requests after 7 s. What remains is that a client whose SYN-ACKs get lost has 7 s (2) or 3
    s (1) to get through.

    ## Evidence
    The setting, and the lifetime that follows from it.

    ## Confirm by hand
    `sysctl net.ipv4.tcp_synack_retries`.

    ## Remedy
    Leave it at 5, the default; `tcp_syncookies=1` is the defence.

    ## When it is wrong
    A server without SYN cookies whose backlog cannot be raised.

    ## References
    Linux `net/ipv4/inet_connection_sock.c` `reqsk_timer_handler`, `syn_ack_recalc`.
    """

    code = "HO219"
    name = "synack-retries-lowered"
    severity = "notice"
    harm = "risk"
    proof = "synack-retries"
    key = "net.ipv4.tcp_synack_retries"
    want = "5"
    advice = "Set it back to 5; SYN cookies are the defence."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """Lowered."""
        del space
        if not 0 <= value <= LOWERED_MAX:
            return None
        life_s = syn_ack_gives_up_after_s(value)
        facts = (Evidence("a half-open request lives for", life_s, "s", "2^(n+1) - 1"),)
        return Judgement("Clients that lose SYN-ACKs are given up early; floods are pruned to 7 s in any case.", facts)
