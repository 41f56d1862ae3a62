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
    A SYN that finds the SYN queue full is dropped, whoever sent it; with cookies it is answered. `tcp_max_syn_backlog`
    also begins to count, with its three-quarter rule. What a flood then does to clients, the experiment
    `flood-with-clients` shows: under 1000 forged SYNs a second at most half of them are served without cookies, and
    nearly all with them.

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
        return Judgement("Forged SYNs that fill a SYN queue would keep others out: their SYNs are dropped.")
