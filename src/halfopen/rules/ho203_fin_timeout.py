"""HO203: tcp_fin_timeout was lowered, probably in the belief that it shortens TIME_WAIT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.setting_rule import Judgement, SettingRule

if TYPE_CHECKING:
    from halfopen.rules.space import Space

#: TCP_FIN_TIMEOUT, a minute.
DEFAULT_S = 60
#: Below this, a peer that closes after a few seconds is answered by a RST.
HARMFUL_S = 10


class FinTimeout(SettingRule):
    """`tcp_fin_timeout` was lowered: it does not shorten TIME_WAIT.

    ## What it finds
    `net.ipv4.tcp_fin_timeout` below its default of 60 s.

    ## Why it matters
    TIME_WAIT lasts 60 s, a constant of the kernel that no setting changes. `tcp_fin_timeout` bounds FIN_WAIT_2 of
    connections that no process holds any more: those that this side has closed and the peer has not. After it
    nothing is left of them, not even TIME_WAIT (experiment `leaks`), so that with a very low value a FIN that the peer
    sends later is answered by a RST (RFC 9293 section 3.10.7.1; measured on Linux 6.18). Data that it sends after our
    close is answered so whatever the setting is.

    ## Evidence
    The setting.

    ## Confirm by hand
    `ss -tano state time-wait` counts down from 60 s, whatever the setting is.

    ## Remedy
    Go back to 60. If ports run out, see HO301.

    ## When it is wrong
    A host with very many peers that never close their side may be helped by 15 to 30 s.

    ## References
    Linux `include/net/tcp.h` TCP_TIMEWAIT_LEN, TCP_FIN_TIMEOUT; `net/ipv4/tcp.c` `__tcp_close`; RFC 9293 section 3.6.1.
    """

    code = "HO203"
    name = "fin-timeout-is-not-time-wait"
    severity = "notice"
    harm = "untidy"
    proof = "time-wait-ports"
    key = "net.ipv4.tcp_fin_timeout"
    want = "60"
    advice = "Set it back to 60: TIME_WAIT lasts 60 s in any case."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """Lowered, and how far."""
        del space
        if not 0 < value < DEFAULT_S:
            return None
        if value < HARMFUL_S:
            cause = f"The FIN of a peer that closes more than {value} s after our close is answered by a RST."
            return Judgement(cause, severity="warning", harm="risk")
        return Judgement(
            "It bounds FIN_WAIT_2 without a process, and does not shorten TIME_WAIT, which is always 60 s."
        )
