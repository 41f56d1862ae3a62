"""What this host's other connections to the same destination tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.cause import LocalCause
from halfopen.model.finding import Evidence
from halfopen.model.quantity import grouped, plural

if TYPE_CHECKING:
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space


def check(space: Space, way: Way) -> LocalCause | None:
    """What this host's other connections to the same destination tell."""
    rows = way.towards(space)
    established = sum(row.states.get("ESTABLISHED", 0) for row in rows)
    waiting, again = sum(row.states.get("SYN_SENT", 0) for row in rows), sum(row.retransmitting for row in rows)
    evidence = (
        Evidence("established to it", established, "connections", "sock_diag"),
        Evidence("waiting for an answer", waiting, "connections", "sock_diag"),
        Evidence("of which have sent their SYN again", again, "connections", "sock_diag idiag_retrans"),
    )
    confirm = space.command(f"ss -tano 'dst {way.destination} and dport = :{way.port}'")
    if waiting and again:
        others = (
            f"{plural(again, 'other connection')} of this host to it {'waits' if again == 1 else 'wait'} for an answer"
        )
        good = f", and {grouped(established)} are established" if established else ""
        return LocalCause("peers", "fact", f"{others} to a SYN sent more than once{good}.", evidence, confirm=confirm)
    if established:
        are = "is" if established == 1 else "are"
        sentence = f"{plural(established, 'other connection')} of this host to it {are} established."
        return LocalCause("peers", "exonerated", sentence, evidence, confirm=confirm)
    return None
