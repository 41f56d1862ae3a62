"""HO701: a process does not close connections that its peers have closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import duration, plural
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.model.sockets import ProcessSockets
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space

#: So many are no moment between a peer's close and ours.
MANY = 100
#: A few, if they are that old: nobody reads from them any more.
SEVERAL, OLD_MS = 20, 600_000

LOOK = "Look for a path in the program that forgets close(), often after an error."


class CloseWait(Rule):
    """A process keeps connections open that its peers have closed.

    ## What it finds
    A process with 100 sockets in CLOSE_WAIT and more, or 20 that are ten minutes old.

    ## Why it matters
    CLOSE_WAIT lasts until the program calls close(): no timer of the kernel closes a descriptor, and each connection
    holds one; at the limit accept() and connect() fail with EMFILE. It is a defect of the program, most often after an
    error.

    ## Evidence
    Sockets in CLOSE_WAIT by process, now and before, and how long the oldest has heard nothing.

    ## Confirm by hand
    `ss -tnp state close-wait`.

    ## Remedy
    Repair the program. Until then a restart frees them. No kernel setting helps: `tcp_fin_timeout` is about the other
    end, and keep-alive ends the connection at most, while the descriptor stays taken.

    ## When it is wrong
    A program that reads a closed connection's data slowly, on purpose.

    ## References
    RFC 9293 section 3.3.2; tcp(7).
    """

    code = "HO701"
    name = "close-wait-leak"
    severity = "warning"
    harm = "growing"
    proof = "leaks"
    needs = ("sockets", "owners")

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each process."""
        for space in context.spaces:
            rows = () if space.now.sockets is None else space.now.sockets.processes
            for row in rows:
                count, old = row.states.get("CLOSE_WAIT", 0), row.close_wait_oldest_ms or 0
                if count >= MANY or (count >= SEVERAL and old >= OLD_MS):
                    yield self._at(space, row, count)

    def _at(self, space: Space, row: ProcessSockets, count: int) -> Finding:
        owner, old = row.owner, row.close_wait_oldest_ms
        grew = _before(space, row)
        more = None if grew is None else count - grew
        return self.finding(
            space.subject(
                "process",
                f"{owner.comm} ({owner.pid})",
                process=owner.comm,
                pid=owner.pid,
                unit=owner.unit,
                container=owner.container,
            ),
            f"It keeps {plural(count, 'connection')} open that the peers have closed"
            + (f", the oldest for {duration(old * 1000)}." if old else "."),
            (
                Evidence("in CLOSE_WAIT", count, "sockets", "sock_diag"),
                None if old is None else Evidence("the oldest has heard nothing for", old, "ms", "sock_diag"),
                None if more is None else Evidence("more than before", more, "sockets", "sock_diag, two snapshots"),
            ),
            remedy=Remedy(
                f"Repair {owner.comm}: it has to call close(). A restart frees them for a while.", (), (LOOK,)
            ),
            confirm=space.command("ss -tnp state close-wait"),
            severity="notice" if more is not None and more <= 0 and count < MANY else None,
        )


def _before(space: Space, row: ProcessSockets) -> int | None:
    """Sockets of the process in CLOSE_WAIT in the earlier snapshot; 0 when it had none."""
    if space.before is None or space.before.sockets is None:
        return None
    earlier = [one for one in space.before.sockets.processes if one.owner.pid == row.owner.pid]
    return earlier[0].states.get("CLOSE_WAIT", 0) if earlier else 0
