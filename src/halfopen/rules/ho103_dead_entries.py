"""HO103: the accept queue holds connections whose clients have already gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.model.quantity import share
from halfopen.rules.accepting import dead, queue_evidence
from halfopen.rules.listening import listener_identity, listener_name
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.model.sockets import Listener
    from halfopen.rules.context import Context

#: Below that many a queue drains in no time, whatever is in it.
DEAD_MIN = 8
#: Half of the queue: from there on clients that wait are behind more dead than living.
DEAD_SHARE_MIN = 0.5
#: Dead entries matter where they take the place of living ones.
FILLED_SHARE_MIN = 0.5

PATIENCE = "Raise the timeouts of health checks and clients above the time that the queue takes to drain."


class DeadEntries(Rule):
    """The accept queue is filled by connections that their clients have given up.

    ## What it finds
    A listener whose queue is at least half full, at least half of it connections that the client has closed before
    accept().

    ## Why it matters
    A connection that its client closes or resets stays in the queue until accept() takes it. A burst of impatient
    clients, or a health check with a short timeout, thus keeps the queue full of the dead: the application wakes up to
    serve nobody, and new clients are dropped.

    ## Evidence
    Rows with inode 0 behind the listener in state CLOSE_WAIT. Those that were reset have no row, but keep their place:
    the difference between the queue's length and its rows.

    ## Confirm by hand
    `ss -Htne state close-wait 'sport = :PORT' | grep ino:0`.

    ## Remedy
    The cause is that accept() comes late. Until that is repaired, let clients wait longer than the queue takes to
    drain, with fewer retries at once; a longer queue makes it worse.

    ## When it is wrong
    Clients that send a request and close their side at once (HTTP/1.0 with shutdown) look the same, and are served.

    ## References
    Linux `net/ipv4/inet_connection_sock.c` `inet_csk_accept`.
    """

    code = "HO103"
    name = "accept-queue-of-dead-entries"
    severity = "warning"
    harm = "slow"
    proof = "dead-entries"
    needs = ("sockets",)
    absorbs = ("HO109",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each group of sockets."""
        for space in context.spaces:
            for listener in (listener for listening in space.listening for listener, _ in listening.members):
                gone = dead(listener)
                if gone < DEAD_MIN or gone < DEAD_SHARE_MIN * listener.accept_queue or not _is_filled(listener):
                    continue
                yield self.finding(
                    space.subject("listener", listener_name(listener), **listener_identity(listener)),
                    f"{share(gone, listener.accept_queue)} of the connections that wait for accept() have been given "
                    "up by their clients.",
                    queue_evidence(space, listener),
                    remedy=Remedy("Make the application accept() earlier, and clients wait longer.", (), (PATIENCE,)),
                    confirm=space.command(f"ss -tne state close-wait 'sport = :{listener.port}'"),
                    confidence="likely",
                )


def _is_filled(listener: Listener) -> bool:
    return listener.accept_queue >= FILLED_SHARE_MIN * (listener.accept_queue_limit + 1)
