"""HO204: tcp_max_tw_buckets is low."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_max_tw_buckets"
LOW = 65536
"""The default is half of the established hash: 131 072 with 24 GB of memory (fact F8). Machines small enough to have a
lower one need no file to lower it."""
TIME_WAIT_S = 60


class TimeWaitBucketsLowered(Check):
    """A low `tcp_max_tw_buckets` ends connections without TIME_WAIT.

    ## What it finds
    Lines that set `net.ipv4.tcp_max_tw_buckets` below 65 536.

    ## Why it matters
    Beyond the limit a closed connection gets no TIME_WAIT: the peer's last FIN meets a RST, and a late segment may meet
    a new connection. It happens in silence, but for a counter. An entry saves 256 bytes.

    ## Evidence
    The value in the file, and the closes a second that it suffices for (a sixtieth).

    ## Confirm by hand
    `nstat -az TcpExtTCPTimeWaitOverflow`.

    ## Remedy
    Delete the line: the kernel sizes the limit by its memory.

    ## When it is wrong
    On a machine with very little memory whose own default is lower still.

    ## References
    Linux `net/ipv4/inet_timewait_sock.c`, `inet_twsk_alloc`.
    """

    code = "HO204"
    name = "time-wait-buckets-lowered"
    severity = "warning"
    harm = "risk"
    proof = "time-wait-limits"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that lowers it."""
        for document, item in context.settings(KEY):
            if item.number is not None and 0 <= item.number < LOW:
                yield self.on(
                    document,
                    item,
                    f"beyond {_closes(item.number)} connections end without TIME_WAIT and their peers meet a RST",
                    "delete the line: an entry takes 256 bytes, and the kernel sizes the limit by its memory",
                )


def _closes(limit: int) -> str:
    """«83 closes a second», «5 closes a minute»: TIME_WAIT lasts a minute."""
    return f"{limit // TIME_WAIT_S} closes a second" if limit >= TIME_WAIT_S else f"{limit} closes a minute"
