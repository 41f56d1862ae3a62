"""HO210: a comment promises another time than the retries take on this kernel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.knowledge.syn_retries import gives_up_after_s, syn_ack_gives_up_after_s
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

SYN = "net.ipv4.tcp_syn_retries"
SYN_ACK = "net.ipv4.tcp_synack_retries"
LINEAR = "net.ipv4.tcp_syn_linear_timeouts"

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(?:-\s*)?(m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)\b", re.IGNORECASE)
_OF_THE_DEFAULT = re.compile(r"\b(?:default|instead of|not|from|before|down from)\W+(?:\w+\W+){0,3}$", re.IGNORECASE)
TOLERANCE = 0.12
"""The timer wheel adds 2 to 4 %, and people round."""
_NEAR = 40
HASTY_MAX = 2
"""connect() then gives up after 3 s or 7 s."""


class RetriesLastOtherwise(Check):
    """The retries of SYN or SYN-ACK do not last as long as the comment says.

    ## What it finds
    `net.ipv4.tcp_syn_retries` and `tcp_synack_retries` whose comment names a time that is not what this kernel does;
    and `tcp_syn_retries` of 1 or 2.

    ## Why it matters
    Since Linux 6.5 SYNs are first sent once a second (`tcp_syn_linear_timeouts = 4`): 3 retries give up after 19.4 s,
    not 15 s, and after 8 SYNs, not 4. Timeouts of load balancers and health checks are set by such comments. With 1 and
    2 connect() gives up after 3 s and 7 s, of every program on the host: a moment's congestion is enough.

    ## Evidence
    The time in the comment; the time that the kernel takes.

    ## Confirm by hand
    `time curl --connect-timeout 300 http://192.0.2.1/` where a firewall drops the SYNs.

    ## Remedy
    Correct the comment, or choose another value. Bound connects in the application instead: times of a program's own,
    such as TCP_USER_TIMEOUT, are exact.

    ## When it is wrong
    When the time in the comment speaks of something else, or the host connects in its own network only.

    ## References
    Linux 6.5, commit ccce324dabfe; `net/ipv4/tcp_timer.c`.
    """

    code = "HO210"
    name = "retries-last-otherwise"
    severity = "warning"
    harm = "untidy"
    proof = "lost-syn"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every comment that is wrong."""
        for document, item in context.settings(SYN, SYN_ACK):
            if item.number is None or not 0 <= item.number <= 127:
                continue
            is_syn = item.key == SYN
            takes_s = (
                gives_up_after_s(item.number, _linear(context)) if is_syn else syn_ack_gives_up_after_s(item.number)
            )
            said = list(_times_s(item.comment))
            if said and all(abs(time - takes_s) > TOLERANCE * takes_s for time in said):
                what = "connect() gives up" if is_syn else "a half-open connection is given up"
                why = " (tcp_syn_linear_timeouts adds SYNs since 6.5)" if is_syn and _linear(context) else ""
                yield self.on(
                    document,
                    item,
                    f"the comment says {said[0]:g} s, but {what} after about {takes_s:.0f} s on Linux "
                    f"{context.kernel.version}{why}",
                    "correct the comment, or choose another value",
                )
            elif is_syn and 1 <= item.number <= HASTY_MAX:
                yield self.on(
                    document,
                    item,
                    f"connect() gives up after about {takes_s:.0f} s in every program: a moment's congestion is enough",
                    "delete the line (the default is 6), and bound connects in the application",
                    severity="notice",
                )


def _linear(context: Context) -> int:
    return 0 if context.kernel.lacks(LINEAR) else context.value(LINEAR) or 0


def _times_s(comment: str) -> Iterator[float]:
    """The times that a comment names, without those of the default and of what was before."""
    for match in _TIME.finditer(comment):
        if not _OF_THE_DEFAULT.search(comment[max(0, match.start() - _NEAR) : match.start()]):
            yield float(match[1]) * (60 if match[2][0].lower() == "m" else 1)
