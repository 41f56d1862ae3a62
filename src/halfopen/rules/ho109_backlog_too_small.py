"""HO109: a backlog is too small for the rate at which connections come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence
from halfopen.rules.accepting import take_sooner
from halfopen.rules.backlog import bound, raise_backlog
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding, Remedy
    from halfopen.model.sockets import Listener
    from halfopen.rules.context import Context
    from halfopen.rules.listening import Listening
    from halfopen.rules.space import Space

#: A pause in accept() that every program has now and then: a garbage collection, a reload, one period of CPU throttling
#: (100 ms).
PAUSE_S = 0.1
#: Three quarters full without an overflow: the next pause that is a third longer overflows.
NEARLY_SHARE = 0.75
#: A limit below which three quarters are reached by a handful of clients.
LIMIT_MIN = 8


class BacklogTooSmall(Rule):
    """A backlog is too small for the rate of new connections.

    ## What it finds
    A listener whose queue is three quarters full, or, in a namespace with one listener that is reachable from outside,
    a backlog smaller than the connections that come in 100 ms.

    ## Why it matters
    The accept queue bridges the time between two accept() calls: it needs rate x longest pause. A garbage collection, a
    reload or one period of CPU throttling is 100 ms or more; whatever comes then and does not fit is dropped, and waits
    a second.

    ## Evidence
    New connections a second (`PassiveOpens`) between two snapshots, and the limit; or the queue now.

    ## Confirm by hand
    `nstat -az TcpPassiveOpens` twice for the rate, `ss -ltn` for the limit (`Send-Q`).

    ## Remedy
    Raise the bound that counts to the rate times the longest pause that you expect. Where the queue is as full at both
    ends of the watched time, no pause did it, and only an application that takes connections faster helps.

    ## When it is wrong
    A program that never pauses needs less. The counter counts for the whole namespace, not for one listener.

    ## References
    listen(2); Linux `include/net/sock.h` `sk_acceptq_is_full`.
    """

    code = "HO109"
    name = "backlog-too-small"
    severity = "notice"
    harm = "growing"
    proof = "stalled-accept"
    needs = ("sockets",)

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each listener."""
        for space in context.spaces:
            reachable = [listening for listening in space.listening if not listening.is_local]
            rate = _rate(space) if len(reachable) == 1 else None
            for listening in space.listening:
                if full := _stays_nearly_full(listening):
                    yield self._at(space, listening, full, None, take_sooner(listening.first, takes=True))
                elif cause := _nearly_full(listening) or _outrun(listening, rate if listening in reachable else None):
                    why = bound(space, listening.first)
                    cause += f"; {why.sentence}." if why else "."
                    yield self._at(space, listening, cause, rate, raise_backlog(space, listening.first))

    def _at(self, space: Space, listening: Listening, cause: str, rate: float | None, remedy: Remedy) -> Finding:
        return self.finding(
            space.subject("listener", listening.name, **listening.identity()),
            cause,
            (
                Evidence("accept queue", listening.first.accept_queue, "connections", "sock_diag idiag_rqueue"),
                Evidence("its limit", listening.first.accept_queue_limit, "connections", "sock_diag idiag_wqueue"),
                None
                if rate is None
                else Evidence("new connections", round(rate, 1), "per second", "/proc/net/snmp Tcp PassiveOpens"),
            ),
            remedy=remedy,
            confirm=space.command(f"ss -ltn 'sport = :{listening.port}'"),
            confidence="likely",
        )


def _rate(space: Space) -> float | None:
    growth = space.growth("PassiveOpens", "Tcp")
    return growth.per_s if growth is not None and growth.measured else None


def _nearly_full(listening: Listening) -> str | None:
    return "The accept queue is nearly full" if any(_is_nearly(one) for one, _ in listening.members) else None


def _stays_nearly_full(listening: Listening) -> str | None:
    """A queue that is as full at both ends of the watched time bridges no pause: the program takes too few."""
    for listener, before in listening.members:
        if before is not None and _is_nearly(listener) and _is_nearly(before):
            who = listener.owner.comm if listener.owner else "the application"
            return f"The accept queue stays nearly full: {who} takes connections no faster than they come."
    return None


def _is_nearly(listener: Listener) -> bool:
    limit = listener.accept_queue_limit
    return limit >= LIMIT_MIN and NEARLY_SHARE * limit <= listener.accept_queue <= limit


def _outrun(listening: Listening, rate: float | None) -> str | None:
    room = sum(listener.accept_queue_limit + 1 for listener, _ in listening.members)
    if rate is None or room >= rate * PAUSE_S:
        return None
    return "A pause of 100 ms in accept() overflows the queue at this rate"
