"""HO101: connections are dropped because the application does not accept() them fast enough."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.rules.accepting import is_full, is_held_up, queue_evidence
from halfopen.rules.both_ends import waiting_here
from halfopen.rules.listening import listener_identity, listener_name
from halfopen.rules.overflow_words import cause, remedy
from halfopen.rules.rule import Rule
from halfopen.rules.taking import pace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding, Severity
    from halfopen.model.sockets import Listener
    from halfopen.rules.context import Context
    from halfopen.rules.growth import Growth
    from halfopen.rules.space import Space

#: Of what another listener dropped in the same time, a listener must have dropped one in so many to be accused: some
#: packets at each socket are noise (F101). And all of them together, one in so many of the namespace's overflows, which
#: may be those of listeners that are gone.
OWN_SHARE = 10

#: Mean drops a second below which counters that began long ago say nothing: one a minute is neither a load nor an
#: outage.
OLD_PER_S_MIN = 1 / 60


class AcceptQueueOverflow(Rule):
    """Connections are dropped because a listener's accept queue is full.

    ## What it finds
    A listening socket that holds more complete connections than its limit (`Recv-Q > Send-Q` in `ss -ltn`: one more
    than the limit fits, and the next is dropped), or that dropped some while it was watched. It names the bound that
    made the limit: the application's own backlog, `net.core.somaxconn`, or an older `somaxconn` that the socket still
    carries.

    ## Why it matters
    While the queue is full every SYN to it is dropped without an answer, with SYN cookies, too. Clients send it again
    after 1 s, so that users see connects of 1, 2 or 3 s (1, 3, 7 s from kernels before 6.5), and in the end a timeout.
    Nothing is logged, and no program is told. A final ACK that finds the queue full is dropped as well: that client
    believes it is connected.

    ## Evidence
    The queue and its limit now, the drops of this one socket (`SK_MEMINFO_DROPS`) and the namespace's `ListenOverflows`
    between two snapshots, the age of the oldest connection that waits. The drops of a socket also count some noise, so
    they accuse it only where `ListenOverflows` moved, too, and where no other listener dropped ten times as many.

    ## Confirm by hand
    `ss -ltnm` shows `Recv-Q` above `Send-Q`, and `d<n>` in `skmem` growing; `nstat -az TcpExtListenOverflows` moves.

    ## Remedy
    If connections wait for a second and more, find out what keeps the application from accept(); a stopped process is
    named, and (from Linux 6.2 on, which tells) one that has no file descriptor left, for which accept() fails with
    EMFILE. A longer queue would only turn drops into waits. So it would where the queue is full at both ends of the
    watched time: the application takes fewer than come, and the finding says how many. If it runs over and empties
    again, bursts are larger than the backlog: raise the bound that counts, then restart the application.
    `tcp_max_syn_backlog` and `tcp_syncookies` change nothing here.

    ## When it is wrong
    A queue may be full at the moment of the snapshot by chance; `--for 10s` tells whether connections are lost. The
    counters count packets, and a client that tries three times counts three times.

    ## References
    Linux `include/net/sock.h` `sk_acceptq_is_full`, `net/ipv4/tcp_input.c` `tcp_conn_request`, `net/ipv4/tcp_ipv4.c`
    `tcp_v4_syn_recv_sock`; listen(2).
    """

    code = "HO101"
    name = "accept-queue-overflow"
    severity = "critical"
    harm = "failing"
    proof = "accept-queue-overflow"
    needs = ("sockets", "counters")
    absorbs = ("HO102", "HO103", "HO104", "HO109", "HO110", "HO403")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each socket, and one for a namespace whose drops belong to none of them."""
        for space in context.spaces:
            accused = False
            members = [(listening, *member) for listening in space.listening for member in listening.members]
            dropped = [space.drops(listener, before) for _, listener, before in members]
            for (listening, listener, before), drops in zip(members, dropped, strict=True):
                own = drops if _its_own(space, drops, dropped) else None
                if severity := _severity(listener, drops, own):
                    accused = True
                    found = self._at(space, listener, before, drops, severity)
                    yield _with_clients(found, waiting_here(context, listening))
            if not accused:
                yield from self._somewhere(space)

    def _at(
        self, space: Space, listener: Listener, before: Listener | None, drops: Growth | None, severity: Severity
    ) -> Finding:
        full = is_full(listener)
        return self.finding(
            space.subject("listener", listener_name(listener), **listener_identity(listener)),
            cause(space, listener, before, drops),
            (
                *queue_evidence(space, listener),
                None if (rate := pace(space, listener, before)) is None else rate.evidence,
                _dropped(drops),
                space.counted("ListenOverflows", "accept queue overflows of all listeners here")
                if len(space.listening) > 1
                else space.counted("ListenOverflows", "accept queue overflows"),
            ),
            remedy=None if severity == "notice" else remedy(space, listener, before, drops),
            confirm=space.command(f"ss -ltnm 'sport = :{listener.port}'"),
            severity=severity,
            harm="failing" if severity == "critical" else "slow" if full else "risk",
            confidence="certain" if full or (drops is not None and drops.measured) else "likely",
        )

    def _somewhere(self, space: Space) -> Iterator[Finding]:
        growth = space.growth("ListenOverflows")
        if growth is None or not growth.recent or not growth.count:
            return
        yield self.finding(
            space.whole(),
            "An accept queue overflowed, of a listener that cannot be named: it is gone by now, or its drops cannot "
            "be read.",
            (
                space.counted("ListenOverflows", "accept queue overflows"),
                space.counted("ListenDrops", "drops at listeners"),
            ),
            remedy=Remedy("Run it again with --for while it happens."),
            confirm=space.command("nstat -az TcpExtListenOverflows"),
            severity="critical" if growth.measured else "warning",
            confidence="likely",
        )


def _with_clients(finding: Finding, waiting: int) -> Finding:
    """With the connects of this same host that wait in vain."""
    if not waiting:
        return finding
    item = Evidence("connects of this host that wait for it", waiting, "connections", "sock_diag idiag_retrans")
    return replace(finding, evidence=(*finding.evidence, item))


def _severity(listener: Listener, drops: Growth | None, own: Growth | None) -> Severity | None:
    """How bad it is at this socket; None when there is nothing. ``own``: the drops, where they accuse it."""
    if is_full(listener):
        calm = drops is not None and drops.stood_still
        # Where nobody takes connections, nothing was dropped because nobody came: whoever does is.
        return "warning" if calm and not is_held_up(listener) else "critical"
    if own is None:
        return None
    if own.measured:
        return "critical"
    if own.recent:
        return "warning"
    return "notice" if (own.per_s or 0) >= OLD_PER_S_MIN else None


def _its_own(space: Space, drops: Growth | None, everybody: list[Growth | None]) -> bool:
    """Whether the namespace's overflows may be those of a socket with these drops."""
    overflows = space.growth("ListenOverflows")
    if drops is None or not drops.count or overflows is None or not overflows.count:
        return False
    counts = [growth.count for growth in everybody if growth is not None]
    return drops.count * OWN_SHARE >= max(counts) and (
        drops.measured or sum(counts) * OWN_SHARE >= overflows.count or not overflows.recent
    )


def _dropped(drops: Growth | None) -> Evidence | None:
    if drops is None:
        return None
    return Evidence(
        f"packets dropped at this socket {drops.when}", drops.count, "packets", "sock_diag SK_MEMINFO_DROPS"
    )
