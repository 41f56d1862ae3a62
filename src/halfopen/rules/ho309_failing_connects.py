"""HO309: connects of this host fail: they are refused, or time out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import plural
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: Fewer in one interval are a program that tries whether something is there.
FAILED_MIN = 5
#: One in ten.
SHARE_MIN = 0.1

STEPS = (
    "The programs' own logs name the address and the error.",
    "Or catch it: `tcpdump -n 'tcp[tcpflags] & tcp-rst != 0'` shows who refuses (IPv4).",
)


class FailingConnects(Rule):
    """Connects from this host fail: they are refused, or time out.

    ## What it finds
    `AttemptFails`, less the handshakes of its own listeners that were reset, that moves between two snapshots by one in
    ten connects and more.

    ## Why it matters
    Nothing listens at the other end, a firewall rejects, or nobody answers at all. Programs that try again at once make
    it a load of its own.

    ## Evidence
    `AttemptFails`, `EmbryonicRsts` and `ActiveOpens`. A connect that finds no local port is in none of them.

    ## Confirm by hand
    `nstat -az TcpAttemptFails TcpActiveOpens`, twice.

    ## Remedy
    Find the program and the destination: its log, `ss -tanp state syn-sent`, a capture of RSTs.

    ## When it is wrong
    Health checks and port scans of one's own are made to fail.

    ## References
    RFC 4022 tcpAttemptFails; Linux `net/ipv4/tcp.c` `tcp_done`.
    """

    code = "HO309"
    name = "failing-connects"
    severity = "notice"
    harm = "failing"
    proof = "failing-connects"
    needs = ("counters", "interval")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            opens, failed = space.growth("ActiveOpens", "Tcp"), _failed(space)
            if opens is None or not opens.measured or failed < max(FAILED_MIN, SHARE_MIN * opens.count):
                continue
            yield self.finding(
                space.whole(),
                f"{plural(failed, 'connect')} of this host failed {opens.when}, of {opens.count} begun: refused, or "
                "not answered.",
                (
                    Evidence(f"connects failed {opens.when}", failed, "connections", "AttemptFails - EmbryonicRsts"),
                    space.counted("ActiveOpens", "connects begun", "connections", "Tcp"),
                ),
                remedy=Remedy("Find the program and the destination.", (), STEPS),
                confirm=space.command("nstat -az TcpAttemptFails TcpActiveOpens"),
                confidence="likely",
            )


def _failed(space: Space) -> int:
    """Failed connects: the counter also counts own handshakes that a RST ended, which have a counter of their own."""
    return space.grown("AttemptFails", "Tcp") - space.grown("EmbryonicRsts")
