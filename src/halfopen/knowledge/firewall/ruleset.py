"""Rules and chains with their place in the text that they were read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.network import FilterChain, FilterRule


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A rule, and where it begins."""

    rule: FilterRule
    line: int
    """1-based."""
    column: int = 1
    """1-based, in characters."""


@dataclass(frozen=True, slots=True)
class PlacedChain:
    """A chain, and where it is declared."""

    chain: FilterChain
    line: int


@dataclass(frozen=True, slots=True)
class Defect:
    """Text that could not be understood; what stands around it was read all the same."""

    line: int
    why: str
    """One clause: ``no closing quotation``."""


@dataclass(frozen=True, slots=True)
class Ruleset:
    """All that one text holds, in its order."""

    chains: tuple[PlacedChain, ...] = ()
    rules: tuple[PlacedRule, ...] = ()
    defects: tuple[Defect, ...] = ()
