"""Which bound made a listener's limit, how large it should be, and who has to change what.

The limit is min(listen()'s argument, somaxconn), taken when listen() was called and never again (fact F2). So a limit
below somaxconn is either the application's own, or older than the present somaxconn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from halfopen.knowledge.programs import program
from halfopen.model.finding import Remedy
from halfopen.model.quantity import grouped

if TYPE_CHECKING:
    from halfopen.knowledge.programs import Program
    from halfopen.model.finding import Change
    from halfopen.model.sockets import Listener
    from halfopen.rules.space import Space

SOMAXCONN = "net.core.somaxconn"
#: The kernel's own defaults before and since 5.4 (ip-sysctl.rst): a limit of exactly that below a larger somaxconn
#: smells of a cap that was raised after listen().
OLD_CAPS = (128, 4096)
#: A queue of that many takes a second of 1000 connections a second without an accept(); one costs no memory until it
#: fills.
WANT_MIN = 1024
#: Above this a listener only collects clients that have given up long ago (fact F129).
WANT_MAX = 65535

Kind = Literal["application", "somaxconn", "stale"]


@dataclass(frozen=True, slots=True)
class Bound:
    """Why the limit is what it is."""

    kind: Kind
    certain: bool
    sentence: str


def bound(space: Space, listener: Listener) -> Bound | None:
    """The bound that made the limit of ``listener``; None when somaxconn is not known."""
    cap, limit = space.sysctl(SOMAXCONN), listener.accept_queue_limit
    if cap is None:
        return None
    if limit == cap:
        return Bound("somaxconn", certain=True, sentence=f"{SOMAXCONN} caps its limit at {grouped(cap)}")
    if limit > cap:
        return Bound(
            "stale", certain=True, sentence=f"its limit of {grouped(limit)} is older than the present {SOMAXCONN}"
        )
    return _below(space, listener, cap)


def _below(space: Space, listener: Listener, cap: int) -> Bound:
    limit = listener.accept_queue_limit
    before = None if space.before is None else space.before.sysctl_int(SOMAXCONN)
    raised = f"its limit of {grouped(limit)} dates from before {SOMAXCONN} was raised to {grouped(cap)}"
    if before == limit:
        return Bound("stale", certain=True, sentence=raised)
    known = _maker(listener)
    if limit in OLD_CAPS and known is not None and known.default is not None and known.default > limit:
        asks = f"{known.name} asks for {grouped(known.default)} unless told otherwise"
        return Bound("stale", certain=False, sentence=f"{raised}, probably: {asks}")
    who = "its socket unit" if _is_handed_over(listener) else "the application"
    sentence = f"{who} asked for {grouped(limit)} in listen()"
    return Bound("application", certain=limit not in OLD_CAPS, sentence=sentence)


def _maker(listener: Listener) -> Program | None:
    """What is known of the program that called listen()."""
    return program(listener.maker.comm if listener.maker else None)


def _is_handed_over(listener: Listener) -> bool:
    return listener.maker is not None and listener.maker.hands_over


def wanted(space: Space, listener: Listener) -> int:
    """A limit that takes the measured rate for a second: the next power of two, within reason."""
    growth = space.growth("PassiveOpens", "Tcp")
    rate = growth.per_s if growth is not None and growth.measured and growth.per_s else 0
    least = max(WANT_MIN, 2 * listener.accept_queue, 2 * (listener.accept_queue_limit + 1), rate)
    return int(min(WANT_MAX, 1 << (int(least) - 1).bit_length()))


def raise_backlog(space: Space, listener: Listener) -> Remedy:
    """What gives ``listener`` a larger limit: the bound that counts, and then a new listen()."""
    want, cap, why = wanted(space, listener), space.sysctl(SOMAXCONN), bound(space, listener)
    maker = listener.maker.comm if listener.maker else "the application"
    who = "the socket unit" if _is_handed_over(listener) else maker
    known = _maker(listener)
    reload = known.reload if known is not None and (why is None or why.kind == "application") else ""
    again = "A running listener keeps its limit until the program calls listen() again."
    if reload:
        again = f"A running listener keeps its limit until the program calls listen() again: `{reload}` makes it."
    if why is not None and why.kind == "stale" and cap is not None and cap > listener.accept_queue_limit:
        return Remedy(f"Restart {who}, so that it takes the present cap of {grouped(cap)}.", (), (again,))
    changes: tuple[Change, ...] = (space.change(SOMAXCONN, str(want)),) if cap is None or cap < want else ()
    steps = () if why is not None and why.kind == "somaxconn" else (ask_for(maker, want),)
    cause = f"Raise {SOMAXCONN}" if why is not None and why.kind == "somaxconn" else f"Raise the backlog of {who}"
    return Remedy(f"{cause} to {want}, then {'reload' if reload else 'restart'} {who}.", changes, (*steps, again))


def ask_for(who: str, want: int) -> str:
    """How a person tells the program its backlog."""
    known = program(who)
    if known is None:
        return f"Raise the backlog that {who} passes to listen() to {want} (look for «backlog» in its configuration)."
    return f"In {known.name}'s configuration: {known.setting.format(want=want)}."
