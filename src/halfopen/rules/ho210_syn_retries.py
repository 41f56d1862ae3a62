"""HO210: tcp_syn_retries was changed, and means something else than its number on this kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.syn_retries import DEFAULT_RETRIES, gives_up_after_s, syn_times_s
from halfopen.model.finding import Evidence
from halfopen.model.quantity import duration
from halfopen.rules.setting_rule import Judgement, SettingRule

if TYPE_CHECKING:
    from halfopen.rules.space import Space

LINEAR = "net.ipv4.tcp_syn_linear_timeouts"
#: connect() then gives up after 3 s or 7 s, within what one congested moment takes.
HASTY_MAX = 2


class SynRetries(SettingRule):
    """`tcp_syn_retries` was changed, and lasts otherwise than its number says.

    ## What it finds
    `net.ipv4.tcp_syn_retries` other than its default of 6, with the time after which connect() really gives up here.

    ## Why it matters
    Since Linux 6.5 the SYN is sent again five times a second apart before the waits begin to double
    (`tcp_syn_linear_timeouts`), so that 3 gives up after 19 s with 7 retransmissions, and not after 15 s with 3. 1 and
    2 give up after 3 s and 7 s, whatever the linear timeouts say. Timeouts of applications are made to fit the number
    that people believe.

    ## Evidence
    The setting, `tcp_syn_linear_timeouts`, and what follows from them.

    ## Confirm by hand
    `time curl --connect-timeout 200 http://192.0.2.1` in a namespace that drops it, or `halfopen probe`.

    ## Remedy
    Better than a setting for the whole host: a connect timeout in the application, or TCP_USER_TIMEOUT or TCP_SYNCNT on
    its sockets.

    ## When it is wrong
    It was chosen knowing that.

    ## References
    Linux `net/ipv4/tcp_timer.c` `tcp_write_timeout`; Documentation/networking/ip-sysctl.rst, tcp_syn_linear_timeouts.
    """

    code = "HO210"
    name = "retries-last-otherwise"
    severity = "notice"
    harm = "untidy"
    proof = "lost-syn"
    key = "net.ipv4.tcp_syn_retries"
    want = "6"
    advice = "Bound connects in the application, and leave this at 6."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """Changed, and what it comes to."""
        if value == DEFAULT_RETRIES or value < 1:
            return None
        linear = space.sysctl(LINEAR) or 0
        real, believed = gives_up_after_s(value, linear), gives_up_after_s(value)
        sent_again = len(syn_times_s(value, linear)) - 1
        facts = (
            space.setting(LINEAR),
            Evidence("connect() gives up after", real, "s", "the two settings"),
            Evidence("SYNs sent again until then", sent_again, "SYNs", "the two settings"),
        )
        limit = duration(real * 1e6)
        if value <= HASTY_MAX:
            cause = f"connect() gives up after {limit}: a moment's congestion is enough for it to fail."
            return Judgement(cause, facts, "warning", "risk")
        if real == believed:
            return None
        return Judgement(
            f"connect() gives up after {limit} on this kernel, not after {duration(believed * 1e6)}.", facts
        )
