"""HO111: workers that share a port come and go, and each takes its queue into the grave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening

KEY = "net.ipv4.tcp_migrate_req"
#: Workers of one start begin within this; a larger spread means that some were replaced later.
SPREAD_S_MIN = 60.0


class MigrateReq(Rule):
    """Workers that share a port are replaced, and connections in the old one's queue are reset.

    ## What it finds
    An SO_REUSEPORT group of which a socket closed between two snapshots, or whose processes began at different times,
    with `tcp_migrate_req=0`.

    ## Why it matters
    Each socket of the group has queues of its own. When one closes, the complete connections in its accept queue are
    reset, and so are half-open ones on their last ACK. No drop counter tells of it.

    ## Evidence
    The sockets of the group now and before, start times of their processes, the setting; `OutRsts` and `EstabResets`
    move.

    ## Confirm by hand
    `ss -ltnp 'sport = :PORT'` before and after a reload; `nstat -az TcpEstabResets`.

    ## Remedy
    `tcp_migrate_req=1` (Linux 5.14 and later) hands the queues over to the other sockets of the group.

    ## When it is wrong
    A group that a BPF program of type SK_REUSEPORT_SELECT_OR_MIGRATE steers migrates without the setting.

    ## References
    Linux `net/core/sock_reuseport.c` `reuseport_migrate_sock`; Documentation/networking/ip-sysctl.rst, tcp_migrate_req.
    """

    code = "HO111"
    name = "migrate-req-off"
    severity = "notice"
    harm = "risk"
    proof = "reuseport"
    needs = ("sockets", "sysctls")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each group that loses members."""
        for space in context.spaces:
            if space.sysctl(KEY) != 0:  # unknown: a kernel before 5.14 has nothing to turn on
                continue
            for listening in space.listening:
                spread = _spread_s(listening)
                if len(listening.members) < 2 or (not listening.gone and (spread is None or spread < SPREAD_S_MIN)):
                    continue
                yield self.finding(
                    space.subject("listener", listening.name, **listening.identity()),
                    "Sockets that share this port come and go; what waits in the queue of one that closes is reset.",
                    (
                        Evidence("sockets that closed in the interval", listening.gone, "sockets", "sock_diag")
                        if listening.gone
                        else None,
                        None if spread is None else Evidence("start times apart", round(spread), "s", "/proc/PID/stat"),
                        space.setting(KEY),
                        space.counted("EstabResets", "connections reset", group="Tcp") if listening.gone else None,
                    ),
                    remedy=Remedy("Hand the queues over to the sockets that stay.", (space.change(KEY, "1"),)),
                    confirm=space.command(f"sysctl {KEY}"),
                    severity="warning" if listening.gone else None,
                    confidence="likely" if listening.gone else "possible",
                )


def _spread_s(listening: Listening) -> float | None:
    """How far apart the processes of the group began."""
    begun = [
        owner.started_at_ns for listener, _ in listening.members for owner in listener.owners if owner.started_at_ns
    ]
    return (max(begun) - min(begun)) / 1e9 if len(begun) > 1 else None
