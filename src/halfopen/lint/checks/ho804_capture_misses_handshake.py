"""HO804: a capture filter that does not show the handshake."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

PROGRAMS = ("tcpdump", "dumpcap", "tshark")
_SYN = re.compile(r"tcp\s*\[\s*(?:tcpflags|13)\s*\]\s*&\s*\(?\s*(?:tcp-syn|0x0?2|2)\b(?!\s*\|)", re.IGNORECASE)
_OTHERS = re.compile(r"tcp-ack|tcp-rst|ip6\s*\[", re.IGNORECASE)


class CaptureMissesHandshake(Check):
    """A filter on the SYN flag shows two of the three packets, and none of IPv6.

    ## What it finds
    Commands of tcpdump, dumpcap or tshark whose filter tests the SYN flag (`tcp[tcpflags] & tcp-syn != 0`, `tcp[13] &
    2 != 0`) and neither ACK nor RST.

    ## Why it matters
    The third packet, the ACK, has no SYN flag: whether a handshake completed cannot be seen. `tcp[…]` reads IPv4
    only, and not fragments: it matched 2 of 3 packets of a handshake, and 0 of one over IPv6. A file of tagged frames
    read again with the same filter matches nothing.

    ## Evidence
    The filter.

    ## Confirm by hand
    `tcpdump -d 'tcp[tcpflags] & tcp-syn != 0'` shows the one test for IPv4.

    ## Remedy
    Capture `tcp port N` whole with a short snap length, and let `halfopen trace` find the handshakes. Or:
    `tcp[tcpflags] & (tcp-syn|tcp-ack|tcp-rst) != 0 or (ip6[6] == 6 and ip6[53] & 2 != 0)`.

    ## When it is wrong
    When only the SYNs of IPv4 are to be counted.

    ## References
    man pcap-filter.
    """

    code = "HO804"
    name = "capture-misses-handshake"
    severity = "warning"
    harm = "untidy"
    proof = "ipv6-beside-ipv4"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, command in context.commands(*PROGRAMS):
            words = command.words[1:]
            # The filter is one quoted word, or several words that tcpdump joins.
            expression = " ".join(word.text for word in words)
            if not _SYN.search(expression) or _OTHERS.search(expression):
                continue
            place = next((word for word in words if _SYN.search(word.text)), command.words[0])
            yield self.at(
                document,
                (place.line, place.column),
                command.program,
                "it shows SYN and SYN-ACK, not the ACK that completes a handshake, and nothing of IPv6: no proof of a "
                "handshake",
                "capture `tcp port N` whole with -s 128, and read it with halfopen trace",
            )
