"""HO219: tcp_synack_retries is lowered against floods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.syn_retries import syn_ack_gives_up_after_s
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

KEY = "net.ipv4.tcp_synack_retries"
LOW = 2


class SynackRetriesLowered(Check):
    """Fewer SYN-ACK retries defend against nothing and cost clients with a bad line.

    ## What it finds
    `net.ipv4.tcp_synack_retries` of 0, 1 or 2.

    ## Why it matters
    As soon as a SYN queue is half full the kernel itself drops old half-open connections after 7 s, as
    `tcp_synack_retries = 2` would. What is left of the setting harms clients whose SYN-ACKs are lost, at all times.

    ## Evidence
    The value, and the time that it leaves.

    ## Confirm by hand
    `ss -tano state syn-recv` shows the timers.

    ## Remedy
    Delete the line: the default is 5. Cookies are the defence, and they are on.

    ## When it is wrong
    Where memory is so small that half-open connections of a minute matter (351 bytes each).

    ## References
    Linux `net/ipv4/inet_connection_sock.c`, `reqsk_timer_handler`.
    """

    code = "HO219"
    name = "synack-retries-lowered"
    severity = "notice"
    harm = "untidy"
    proof = "synack-retries"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings(KEY):
            if item.number is not None and 0 <= item.number <= LOW:
                yield self.on(
                    document,
                    item,
                    f"it gives clients {syn_ack_gives_up_after_s(item.number):.0f} s to answer a lost SYN-ACK, "
                    "and defends against "
                    "nothing: the kernel prunes to 7 s by itself once a SYN queue is half full",
                    "delete the line: the default is 5",
                    want="5",
                )
