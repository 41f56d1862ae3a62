"""HO205: TCP timestamps are off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.cookies import cookie_evidence, mode, sent
from halfopen.rules.setting_rule import Judgement, SettingRule

if TYPE_CHECKING:
    from halfopen.rules.space import Space


class TimestampsOff(SettingRule):
    """TCP timestamps are off, and what depends on them with them.

    ## What it finds
    `net.ipv4.tcp_timestamps = 0`.

    ## Why it matters
    Without timestamps SYN cookies cannot keep window scaling, SACK and ECN, so that connections under a flood crawl in
    64 KB windows; `tcp_tw_reuse` never reuses anything; sequence numbers that wrap are not told apart; round trips of
    retransmitted segments are not measured. Uptime cannot be read from them since Linux 4.10: each connection has a
    random offset.

    ## Evidence
    The setting; cookies sent, where they are.

    ## Confirm by hand
    `sysctl net.ipv4.tcp_timestamps`; `ss -ti` shows no `ts`.

    ## Remedy
    Set it to 1, the default. It takes effect with the next connection.

    ## When it is wrong
    A host that talks to a device which drops segments with the option.

    ## References
    RFC 7323; Linux `net/ipv4/syncookies.c` `cookie_init_timestamp`, `net/ipv4/tcp_ipv4.c` `tcp_twsk_unique`.
    """

    code = "HO205"
    name = "timestamps-off"
    severity = "warning"
    harm = "risk"
    proof = "cookie-options"
    key = "net.ipv4.tcp_timestamps"
    want = "1"
    advice = "Turn timestamps on."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """Off; and worse while cookies are sent."""
        if value != 0:
            return None
        cookies = sent(space)
        if mode(space) != "never" and cookies is not None and cookies.recent and cookies.count:
            cause = "Connections by SYN cookie lose window scaling and SACK, and tcp_tw_reuse does nothing."
            return Judgement(cause, tuple(cookie_evidence(space)), harm="slow")
        return Judgement("SYN cookies will lose window scaling and SACK, and tcp_tw_reuse does nothing.")
