"""HO209: tcp_rfc1337 is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.setting_rule import Judgement, SettingRule

if TYPE_CHECKING:
    from halfopen.rules.space import Space


class Rfc1337(SettingRule):
    """`tcp_rfc1337` is set: a reconnect may hang for a minute.

    ## What it finds
    `net.ipv4.tcp_rfc1337` that is not 0.

    ## Why it matters
    With 1, a RST does not end TIME_WAIT. A client that comes back with the same port and an older sequence number
    (another host behind the same NAT, a rebooted one without timestamps) then gets an ACK, answers with a RST that is
    ignored, and hangs for up to 60 s. The kernel's own document describes the setting the wrong way round.

    ## Evidence
    The setting.

    ## Confirm by hand
    `sysctl net.ipv4.tcp_rfc1337`.

    ## Remedy
    Leave it at 0, the default.

    ## When it is wrong
    Where old duplicates that kill a TIME_WAIT are feared more than hanging reconnects.

    ## References
    RFC 1337; Linux `net/ipv4/tcp_minisocks.c` `tcp_timewait_state_process`.
    """

    code = "HO209"
    name = "rfc1337-set"
    severity = "notice"
    harm = "risk"
    proof = "time-wait-limits"
    key = "net.ipv4.tcp_rfc1337"
    want = "0"
    advice = "Set it back to 0."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """Set."""
        del space
        if value == 0:
            return None
        return Judgement(
            "A RST does not end TIME_WAIT, so that a reconnect with an older sequence number hangs for up to 60 s."
        )
