"""HO205: TCP timestamps are switched off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_timestamps"


class TimestampsOff(Check):
    """Without TCP timestamps, SYN cookies lose options and `tcp_tw_reuse` stops working.

    ## What it finds
    Lines that set `net.ipv4.tcp_timestamps` to 0.

    ## Why it matters
    SYN cookies keep window scaling, SACK and ECN in the timestamp: without it, connections made under a flood have
    windows of 64 KB at most. `tcp_tw_reuse` needs them, PAWS needs them, and round trips of retransmitted segments
    cannot be measured. Value 1 begins at a random offset for each connection, so that it does not tell the uptime.

    ## Evidence
    The value in the file.

    ## Confirm by hand
    `ss -tin` shows `ts` for connections that use them.

    ## Remedy
    Delete the line, or write 1.

    ## When it is wrong
    For a peer that is known to break on timestamps; then turn them off for its route, not for the host.

    ## References
    Linux `net/ipv4/syncookies.c`, `cookie_init_timestamp`; RFC 7323.
    """

    code = "HO205"
    name = "timestamps-off"
    severity = "warning"
    harm = "risk"
    proof = "cookie-options"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line that switches them off."""
        for document, item in context.settings(KEY):
            if item.number == 0:
                yield self.on(
                    document,
                    item,
                    "SYN cookies then lose window scaling and SACK, tcp_tw_reuse does nothing, and PAWS is off",
                    "delete the line, or write 1",
                    want="1",
                )
