"""HO203: tcp_fin_timeout is lowered, as if it were the length of TIME_WAIT."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_fin_timeout"
DEFAULT_S = 60
LOW_S = 15
"""Below it a late FIN of slow peers is answered by a RST; the sensible range of the table is 15 to 60."""

_TIME_WAIT = re.compile(r"time[ _-]?wait|\btw\b|释放|端口", re.IGNORECASE)


class FinTimeoutIsNotTimeWait(Check):
    """`tcp_fin_timeout` does not shorten TIME_WAIT.

    ## What it finds
    Lines that lower `net.ipv4.tcp_fin_timeout` below 60. It is a warning where the comment speaks of TIME_WAIT, where
    the same file also turns the settings of TIME_WAIT, or where the value is below 15; a notice otherwise.

    ## Why it matters
    TIME_WAIT lasts 60 s: a constant of the kernel. This setting bounds FIN_WAIT_2 of connections whose program is gone.
    After it nothing is left of them, not even TIME_WAIT (experiment `leaks`), so that with a very low value a FIN that
    the peer sends later is answered by a RST (RFC 9293 section 3.10.7.1; measured on Linux 6.18). Data that it sends
    after our close is answered so whatever the setting is.

    ## Evidence
    The value in the file, and what the file says about it.

    ## Confirm by hand
    Set it to 5, close a connection, and watch `ss -tano state time-wait`: the timer begins at 60 s.

    ## Remedy
    Delete the line. A server needs nothing against TIME_WAIT; a client that runs out of ports needs keep-alive, more
    source addresses, or `tcp_tw_reuse = 1` with timestamps.

    ## When it is wrong
    When many peers never close their side and FIN_WAIT_2 is what is to be shortened; then say so in a comment.

    ## References
    Linux `include/net/tcp.h`, `TCP_TIMEWAIT_LEN`.
    """

    code = "HO203"
    name = "fin-timeout-is-not-time-wait"
    severity = "warning"
    harm = "untidy"
    proof = "time-wait-ports"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that lowers it."""
        about_time_wait = {
            document.path for document in context.documents if any("_tw_" in other.key for other in document.settings)
        }
        for document, item in context.settings(KEY):
            if item.number is None or not 0 < item.number < DEFAULT_S:
                continue
            meant = _TIME_WAIT.search(item.comment) or document.path in about_time_wait
            late = "; below 15 s a late FIN of the peer is answered by RST" if item.number < LOW_S else ""
            yield self.on(
                document,
                item,
                f"TIME_WAIT always lasts 60 s: this bounds FIN_WAIT_2 without a process only{late}",
                "delete the line; where local ports run out, use keep-alive or more source addresses",
                want=str(DEFAULT_S),
                severity="warning" if meant or late else "notice",
            )
