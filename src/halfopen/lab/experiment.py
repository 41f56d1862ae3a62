"""An experiment: what it claims, and the function that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from halfopen.lab.story import Story


@dataclass(frozen=True, slots=True)
class Experiment:
    """One file of ``halfopen.lab.experiments``.

    Attributes:
        name: what ``halfopen lab run`` takes.
        title: a line for the list.
        claim: what it shows, in one sentence.
        run: does it. NotAvailableError and PrivilegeError mean that this kernel or user cannot: it is skipped.
        proves: codes of the rules whose advice stands on it.
        time_max_s: after which it is given up.
    """

    name: str
    title: str
    claim: str
    run: Callable[[Story], None]
    proves: tuple[str, ...] = ()
    time_max_s: float = 120.0
