"""Rules and chains with their place in the text that they were read from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from halfopen.model.network import FilterChain, FilterRule


#: ``tcp flags syn``: every packet with the flag, SYN-ACKs too; ``tcp flags == syn``: no other flag, ECN's neither.
_OTHER_PROTOCOL = re.compile(
    r"(?:-p|--protocol|--proto|l4proto|ip protocol)\s+(?!tcp|6\b|\{)\w|\budp\b|\bicmp", re.IGNORECASE
)
_SYN_FLAG = re.compile(r"\btcp flags (?:== )?(?:\{ ?)?syn\b(?! ?[|/,])")


def looks_at_syns(rule: FilterRule) -> bool:
    """Whether the rule asks for the SYN flag, be it for SYNs alone or for all that carry it."""
    return rule.syn_only or _SYN_FLAG.search(rule.text) is not None


def is_of_another_protocol(rule: FilterRule) -> bool:
    """Whether the rule names a protocol other than TCP."""
    return _OTHER_PROTOCOL.search(rule.text) is not None


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
