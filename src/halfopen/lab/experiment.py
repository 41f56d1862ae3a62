"""An experiment: what it claims, and the function that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from halfopen.lab.story import Story


def hosts_of_pairs(*suffixes: str) -> tuple[str, ...]:
    """Names of the hosts of several ``topology.pair``."""
    return tuple(f"{side}{suffix}" for suffix in suffixes for side in ("client", "server"))


@dataclass(frozen=True, slots=True)
class Experiment:
    """One file of ``halfopen.lab.experiments``.

    Attributes:
        name: what ``halfopen lab run`` takes.
        title: a line for the list.
        claim: what it shows, in one sentence.
        run: does it. NotAvailableError and PrivilegeError mean that this kernel or user cannot: it is skipped.
        proves: codes of the rules whose advice stands on it.
        hosts: names of all that it may make, known before it is run.
        time_max_s: after which it is given up.
    """

    name: str
    title: str
    claim: str
    run: Callable[[Story], None]
    proves: tuple[str, ...] = ()
    hosts: tuple[str, ...] = hosts_of_pairs("")
    time_max_s: float = 120.0
