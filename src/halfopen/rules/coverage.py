"""How much of the host the facts show, and what «nothing is failing» does not speak of, if it may be said at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import listed, plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from halfopen.model.snapshot import NetNamespace
    from halfopen.rules.context import Context
    from halfopen.rules.rule import Need
    from halfopen.rules.space import Space

#: Parts that every kernel has: sockets show what is, counters what was lost, settings why. No packet filter, and no
#: connection tracking, may simply not be there.
ESSENTIAL: tuple[Need, ...] = ("sockets", "counters", "sysctls")
#: With one of them alone nothing can be judged: sockets that wait now do not tell what is dropped, and the other way.
ENOUGH = 2
NAMED = 3
"""Namespaces that are named of those with one trouble; of more, the number is told."""
_WORDS = {"sysctls": "settings"}


def lacking(space: Space, parts: Sequence[Need] = ESSENTIAL) -> tuple[Need, ...]:
    """Those of ``parts`` that were not read of a namespace, in either snapshot."""
    found = _lacking(space.now) | (set() if space.before is None else _lacking(space.before))
    return tuple(part for part in parts if part in found)


def _lacking(namespace: NetNamespace) -> set[Need]:
    has: dict[Need, bool] = {
        "sockets": namespace.sockets is not None,
        # Without this group there is none of the counters of drops: a sandbox may show the others.
        "counters": bool(namespace.counters.get("TcpExt")),
        "sysctls": bool(namespace.sysctls),
    }
    return {part for part, there in has.items() if not there}


def is_examined(context: Context) -> bool:
    """Whether there is a namespace of which enough was read to judge it."""
    return any(len(lacking(space)) <= len(ESSENTIAL) - ENOUGH for space in context.spaces)


def looked_at(context: Context) -> int:
    """Namespaces of which at least one part was read."""
    return sum(len(lacking(space)) < len(ESSENTIAL) for space in context.spaces)


def unseen(context: Context, parts: Sequence[Need] = ESSENTIAL) -> tuple[str, ...]:
    """Where nothing may be called fine: «counters and settings of the host», «network namespaces of 3 processes»."""
    return tuple(dict.fromkeys([*_unread(context, parts), *_hidden(context)]))


def words(parts: Sequence[Need]) -> str:
    """«counters and settings»."""
    return listed([_WORDS.get(part, part) for part in parts])


def _unread(context: Context, parts: Sequence[Need]) -> Iterator[str]:
    if not context.spaces:
        yield "every network namespace"
    troubles: dict[tuple[Need, ...], list[str]] = {}
    for space in context.spaces:
        if missing := lacking(space, parts):
            troubles.setdefault(missing, []).append(space.name)
    for missing, names in troubles.items():
        yield _spaces(names) if missing == ESSENTIAL else f"{words(missing)} of {_spaces(names)}"


def _hidden(context: Context) -> Iterator[str]:
    """What the collectors themselves know to be hidden, the same of several namespaces once."""
    places: dict[str, list[str]] = {}
    for gap in context.now.unavailable:
        if gap.blinds:
            where = places.setdefault(gap.blinds, [])
            if gap.netns is not None and gap.netns not in where:
                where.append(gap.netns)
    for what, names in places.items():
        yield f"{what} of {_spaces(names)}" if names else what


def _spaces(names: list[str]) -> str:
    if names == ["host"]:
        return "the host"
    if len(names) > NAMED:
        return plural(len(names), "network namespace")
    return f"network namespace{'' if len(names) == 1 else 's'} {listed(names)}"
