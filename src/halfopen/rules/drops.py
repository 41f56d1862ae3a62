"""Drops at listeners, by what explains them. ListenDrops contains ListenOverflows: never add the two (fact F84)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.rules.space import Space


def other_drops(space: Space) -> int:
    """Recent ``ListenDrops`` that neither a full accept queue nor a full SYN queue explains."""
    return max(0, space.grown("ListenDrops") - space.grown("ListenOverflows") - space.grown("TCPReqQFullDrop"))
