"""HO406: the kernel's log speaks of possible SYN flooding."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import listed, moment
from halfopen.rules.cookies import sent
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

#: Raised where a SYN finds the SYN queue full and no cookie is sent.
DROPPED = "TCPReqQFullDrop"
#: ``TCP: request_sock_TCP: Possible SYN flooding on port 0.0.0.0:80. Sending cookies.``; without the address before 6.2
#: or so.
_LINE = re.compile(r"Possible SYN flooding on port (\S{1,64}?)\. (Sending cookies|Dropping request)")


class FloodingInLog(Rule):
    """The kernel's log says «Possible SYN flooding».

    ## What it finds
    The line in the kernel's log, with its port and time.

    ## Why it matters
    It says that the SYN queue of that listener was full once. That is a flood, or a backlog that is too small for real
    clients (Redis with 511 under a cap of 128 is the usual one). It is printed once in the life of a listener: that it
    is not repeated does not mean that it is over, and that it is there does not mean that it goes on.

    ## Evidence
    The line. What goes on now is told by cookies sent and returned (HO402, HO403).

    ## Confirm by hand
    `dmesg | grep 'SYN flooding'`; `nstat -az 'TcpExtSyncookies*'`, twice.

    ## Remedy
    If cookies come back, raise the backlog of that listener. If they do not, leave it: cookies hold it off. Do not turn
    them off.

    ## When it is wrong
    It is old news by nature.

    ## References
    Linux `net/ipv4/tcp_input.c` `tcp_syn_flood_action`.
    """

    code = "HO406"
    name = "flooding-in-log"
    severity = "notice"
    harm = "untidy"
    proof = "cookies-for-clients"
    needs = ("kernel_log",)

    def check(self, context: Context) -> Iterator[Finding]:
        """At most one finding: the log is the whole host's, and does not say in which namespace a port is."""
        lines = sorted(context.now.kernel_log, key=lambda line: line.at_ns)
        found = {match[1]: (line, match[2]) for line in lines if (match := _LINE.search(line.text))}
        host = context.host
        if not found or host is None:
            return
        # The newest first: those are what the reader asks about.
        last = dict(sorted(found.items(), key=lambda item: -item[1][0].at_ns))
        newest, action = next(iter(last.values()))
        did = "cookies were sent" if action == "Sending cookies" else "SYNs were dropped"
        ports = "port" if len(last) == 1 else "ports"
        yield self.finding(
            host.whole(),
            f"The kernel's log names {ports} {listed(list(last))} for a SYN queue that was full once, last at "
            f"{moment(newest.at_ns)}, and {did}; whether one still is, it does not tell.",
            [Evidence("the kernel's log", line.text, None, "/dev/kmsg") for line, _ in list(last.values())[:3]],
            remedy=_remedy(context),
            confirm="dmesg | grep 'SYN flooding'",
        )


def _remedy(context: Context) -> Remedy:
    """Whether a queue is full now is to be seen first; where it was watched, that is known."""
    counters = [growth for space in context.spaces for growth in (sent(space), space.growth(DROPPED))]
    now = [growth for growth in counters if growth is not None and growth.measured]
    if not now:
        return Remedy("See whether cookies are sent now, and come back: `halfopen doctor --for 10s`.")
    if all(growth.stood_still for growth in now):
        return Remedy(
            f"Nothing now: no cookie was sent {now[0].when}, and no SYN dropped for want of one. Watch again when the "
            "host is busiest."
        )
    return Remedy(
        "It goes on: cookies are sent, or SYNs dropped for want of them. Where cookies come back "
        "(`nstat -az 'TcpExtSyncookies*'`, twice), raise the backlog of that listener; where they do not, leave it: "
        "they hold a flood off."
    )
