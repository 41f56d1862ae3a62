"""HO207: SYN cookies are off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.cookies import SYNCOOKIES
from halfopen.rules.setting_rule import Judgement, SettingRule

if TYPE_CHECKING:
    from halfopen.rules.space import Space


class SyncookiesOff(SettingRule):
    """SYN cookies are off, on a host that others can connect to.

    ## What it finds
    `net.ipv4.tcp_syncookies = 0` in a namespace with a listener that is not bound to loopback.

    ## Why it matters
    Some 600 forged SYNs a second keep a SYN queue of 4096 full, and then nobody gets in. With cookies the queue may be
    full and everybody still connects. `tcp_max_syn_backlog` also begins to count, with its three-quarter rule.

    ## Evidence
    The setting, and the listeners.

    ## Confirm by hand
    `sysctl net.ipv4.tcp_syncookies`.

    ## Remedy
    Set it to 1, the default: cookies are sent only while a SYN queue is full.

    ## When it is wrong
    Behind something that answers SYNs itself (a load balancer, SYNPROXY in front of it).

    ## References
    RFC 4987; Linux `net/ipv4/tcp_input.c` `tcp_conn_request`; Documentation/networking/ip-sysctl.rst.
    """

    code = "HO207"
    name = "syncookies-off"
    severity = "warning"
    harm = "risk"
    proof = "syn-queue-limits"
    key = SYNCOOKIES
    want = "1"
    advice = "Turn SYN cookies on; they are used only while a SYN queue is full."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """Off, where somebody can connect."""
        if value != 0 or all(listening.is_local for listening in space.listening):
            return None
        return Judgement("A few hundred forged SYNs a second would keep everybody out.")
