"""What HO101 says: why a queue overflows, and what helps. A longer queue helps against bursts only.

A queue that is full all the time has a program behind it that takes too few: a longer one makes the same clients wait
longer, and more of them in vain (fact F129). One snapshot cannot tell the two apart, unless the ages of those that wait
do.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from halfopen.model.finding import Remedy
from halfopen.rules.accepting import (
    MORE_WORKERS,
    holds_up,
    is_full,
    is_held_up,
    is_known,
    starving,
    stays_full,
    take_sooner,
)
from halfopen.rules.backlog import bound, raise_backlog
from halfopen.rules.taking import pace

if TYPE_CHECKING:
    from halfopen.model.sockets import Listener
    from halfopen.rules.growth import Growth
    from halfopen.rules.space import Space

#: What every program pauses for now and then. A full queue whose oldest connection is younger has filled in a burst.
PAUSE_MS = 100
STILL_FULL = (
    "If it is full all the time, a longer one would only turn drops into waits: `halfopen doctor --for 10s` tells."
)


def cause(space: Space, listener: Listener, before: Listener | None, drops: Growth | None) -> str:
    """The sentence."""
    if is_full(listener):
        state = _full(listener, drops)
    elif drops is not None and not drops.measured:
        return f"The accept queue has overflowed at some time {drops.when}: one snapshot does not tell more of it."
    else:
        state = "overflowed"
    reasons = "; ".join(_reasons(space, listener, before))
    return f"The accept queue {state}" + (f": {reasons}." if reasons else ".") + _of_the_group(space, listener)


def _full(listener: Listener, drops: Growth | None) -> str:
    """«is full», and what it says where nothing was dropped while it was watched."""
    if drops is None or not drops.stood_still:
        return "is full"
    if is_held_up(listener):
        return f"is full, and the next connect is dropped, though none came {drops.when}"
    return f"is full at the moment, though nothing was dropped {drops.when}"


def _of_the_group(space: Space, listener: Listener) -> str:
    """What clients of a port meet that several sockets share: the kernel deals them out by a hash, not by load."""
    here = (one for one in space.listening if any(member.cookie == listener.cookie for member, _ in one.members))
    group = next(here, None)
    if group is None or len(group.members) < 2:
        return ""
    full = sum(is_full(member) for member, _ in group.members)
    return f" It is one of {len(group.members)} sockets on this port, of which {full or 'none'} {_are(full)} full."


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def _reasons(space: Space, listener: Listener, before: Listener | None) -> list[str]:
    who = listener.owner.comm if listener.owner else "the application"
    if stays_full(listener, before) and not is_known(listener):
        rate = pace(space, listener, before)
        if rate is not None:
            return [f"{holds_up(listener, rate)}; more come"]
        return [holds_up(listener) if starving(listener) else f"{who} takes connections more slowly than they come"]
    if is_held_up(listener):
        return [holds_up(listener)]
    why = bound(space, listener)
    if why is None:
        return []
    slow = f", or {who} takes them too slowly" if space.before is None and is_full(listener) else ""
    return [f"bursts are larger than the queue{slow}", why.sentence]


def remedy(space: Space, listener: Listener, before: Listener | None, drops: Growth | None) -> Remedy:
    """What helps."""
    if stays_full(listener, before):
        return take_sooner(listener, takes=pace(space, listener, before) is not None or not starving(listener))
    if is_held_up(listener):
        return take_sooner(listener)
    larger = raise_backlog(space, listener)
    if space.before is not None:
        return larger
    if not is_full(listener) and drops is not None:
        limit = f"Its limit may have been another one when they were dropped: it is {listener.accept_queue_limit} now."
        return Remedy("See whether it still drops any: `halfopen doctor --for 10s` while it is busy.", (), (limit,))
    return replace(larger, person=(*larger.person, STILL_FULL)) if _filled_at_once(listener) else _look_first(larger)


def _filled_at_once(listener: Listener) -> bool:
    oldest_ms = None if listener.queued is None else listener.queued.oldest_ms
    return oldest_ms is not None and oldest_ms < PAUSE_MS


def _look_first(larger: Remedy) -> Remedy:
    burst = (f"If it runs over and empties again: {larger.summary}", *larger.person)
    return Remedy(
        "See first which it is: `halfopen doctor --for 10s`.",
        (),
        (*burst, f"If it is full all the time: {MORE_WORKERS}"),
    )
