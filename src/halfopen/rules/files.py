"""The files that set kernel parameters at boot, beside the values that run: the host's namespace only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import outcomes
from halfopen.rules.setting_rule import reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctl_files import Outcome
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space


def file_settings(context: Context) -> Iterator[tuple[Space, str, Outcome]]:
    """Every key that a file sets, save for patterns, with the host's namespace and who wins."""
    space = context.host
    if space is None or not space.now.sysctls:
        return
    for key, outcome in outcomes(context.now.setting_files, reader(context)).items():
        if "*" not in key and key.startswith("net."):
            yield space, key, outcome


def same_value(one: str, other: str) -> bool:
    """Whether the kernel shows ``other`` after ``one`` was written: blanks and spellings of numbers do not count."""
    left, right = one.split(), other.split()
    return left == right or [_number(word) for word in left] == [_number(word) for word in right]


def _number(word: str) -> int | str:
    try:
        return int(word, 0)
    except ValueError:
        return word
