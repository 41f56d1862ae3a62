"""HO206: tcp_tw_reuse is set where it does nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.rules.setting_rule import Judgement, SettingRule

if TYPE_CHECKING:
    from halfopen.rules.space import Space

#: Twenty accepted connections for one that is opened.
SERVER_RATIO = 20
#: Below that a ratio says nothing.
ACCEPTED_MIN = 1000


class TwReuseWithoutEffect(SettingRule):
    """`tcp_tw_reuse` is set where it does nothing.

    ## What it finds
    `tcp_tw_reuse=1` with timestamps off, or on a host that accepts connections and opens hardly any.

    ## Why it matters
    It acts in connect() only, and only where timestamps were on. A server's own TIME_WAIT is not touched, and needs no
    help: a client that comes back opens it anew at once. Who believes the setting at work does not look further.

    ## Evidence
    The setting, `tcp_timestamps`, connections opened (`ActiveOpens`) and accepted (`PassiveOpens`).

    ## Confirm by hand
    `nstat -az TcpExtTWRecycled` stands still; `nstat -az TcpActiveOpens TcpPassiveOpens`.

    ## Remedy
    On a server: leave it at the default of 2. With timestamps off: turn them on, if the ports are needed.

    ## When it is wrong
    A proxy that is quiet at the moment.

    ## References
    Linux `net/ipv4/tcp_ipv4.c` `tcp_twsk_unique`; Documentation/networking/ip-sysctl.rst.
    """

    code = "HO206"
    name = "tw-reuse-without-effect"
    severity = "notice"
    harm = "untidy"
    proof = "tw-reuse"
    key = "net.ipv4.tcp_tw_reuse"
    want = "2"
    advice = "Set it back to the default, which is 2 since Linux 4.19."

    def judge(self, space: Space, value: int) -> Judgement | None:
        """Set, and of no use."""
        if value != 1:
            return None
        if space.sysctl("net.ipv4.tcp_timestamps") == 0:
            cause = "Timestamps are off, and without them no port in TIME_WAIT is reused."
            return Judgement(cause, (space.setting("net.ipv4.tcp_timestamps"),))
        opened, accepted = space.now.counter("Tcp", "ActiveOpens"), space.now.counter("Tcp", "PassiveOpens")
        if opened is None or accepted is None or accepted < max(ACCEPTED_MIN, SERVER_RATIO * opened):
            return None
        facts = (
            space.counted("ActiveOpens", "connections opened", group="Tcp"),
            space.counted("PassiveOpens", "connections accepted", group="Tcp"),
        )
        return Judgement(
            "It acts in connect() only, and this is a server: its TIME_WAIT needs no help.", facts, confidence="likely"
        )
