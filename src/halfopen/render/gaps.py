"""What could not be seen, in words: one sentence for one trouble, however many network namespaces have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.quantity import listed
from halfopen.render.escape import escape_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from halfopen.model.snapshot import Unavailable

_HERE = " in this network namespace"


def gap_parts(gaps: Iterable[Unavailable]) -> list[tuple[str, str]]:
    """(what and where, why) of each trouble, escaped: («everything in a, b, c and 4 more», «it is gone»)."""
    places: dict[tuple[str, str], list[str]] = {}
    for gap in gaps:
        where = places.setdefault((gap.what, gap.why), [])
        if gap.netns:
            where.append(gap.netns)
    return [(_what(what, where), escape_text(why)) for (what, why), where in places.items()]


def gap_sentences(gaps: Iterable[Unavailable]) -> list[str]:
    """``not available: the kernel's log, because /dev/kmsg: Operation not permitted``."""
    return [f"not available: {what}, because {why}" for what, why in gap_parts(gaps)]


def _what(what: str, where: list[str]) -> str:
    if not where:
        return escape_text(what)
    names = listed([escape_text(name) for name in where])
    if not what.endswith(_HERE):
        return f"{escape_text(what)} in {names}"
    which = "network namespace" if len(where) == 1 else "network namespaces"
    return f"{escape_text(what.removesuffix(_HERE))} in {which} {names}"
