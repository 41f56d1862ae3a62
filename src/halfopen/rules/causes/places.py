"""What is looked at in every network namespace of this host that a connect's packets come through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from halfopen.model.cause import LocalCause
    from halfopen.rules.causes.way import Way
    from halfopen.rules.space import Space

_ORDER = ("cause", "possible", "unknown", "fact", "exonerated")


def spaces(space: Space, way: Way) -> Iterator[Space]:
    """Each once, from the one that connects to the target."""
    yield space
    yield from (place for place in way.path.beyond if place is not space)


def worst(space: Space, way: Way, check: Callable[[Space], LocalCause | None]) -> LocalCause | None:
    """The judgement of the namespace that looks worst; the nearest among equals."""
    found = [cause for place in spaces(space, way) if (cause := check(place)) is not None]
    return min(found, key=lambda cause: _ORDER.index(cause.verdict)) if found else None


def of_namespace(space: Space) -> str:
    """« of network namespace blue», and nothing for the one that connects."""
    return "" if space.now.own else f" of network namespace {space.name}"


def in_namespace(space: Space) -> str:
    """« in network namespace blue», and nothing for the one that connects."""
    return "" if space.now.own else f" in network namespace {space.name}"
