"""HO208: SYN cookies are sent always."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.cookies import SYNCOOKIES
from halfopen.rules.setting_rule import Judgement, SettingRule

if TYPE_CHECKING:
    from halfopen.rules.space import Space


class SyncookiesAlways(SettingRule):
    """SYN cookies are sent always, which is a test mode.

    ## What it finds
    `net.ipv4.tcp_syncookies = 2`.

    ## Why it matters
    Every connection then is one by cookie: no SYN-ACK is ever sent again when it is lost, the MSS is rounded down,
    clients without timestamps lose window scaling and SACK, and the first round trip is wrong. Not in the experiment,
    and measured on Linux 6.18: data of a Fast Open SYN is not taken, and a listener with TCP_DEFER_ACCEPT gets the
    connection before its data.

    ## Evidence
    The setting.

    ## Confirm by hand
    `sysctl net.ipv4.tcp_syncookies`; `ss -tan state syn-recv` is always empty.

    ## Remedy
    Set it to 1, the default.

    ## When it is wrong
    While somebody tests cookies.

    ## References
    Documentation/networking/ip-sysctl.rst; Linux `net/ipv4/tcp_input.c` `tcp_conn_request`.
    """

    code = "HO208"
    name = "syncookies-always"
    severity = "warning"
    harm = "slow"
    proof = "cookie-options"
    key = SYNCOOKIES
    want = "1"
    advice = "Set it to 1: cookies when they are needed."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """The test mode."""
        del space
        if value != 2:
            return None
        return Judgement(
            "Every connection is made by cookie, and a lost SYN-ACK is never sent again: 2 is a test mode."
        )
