"""Why a connect from this host may fail before anything comes back: one local cause, judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from halfopen.model.finding import Evidence, Remedy

CauseKind = Literal["ports", "route", "filter", "conntrack", "rp_filter", "peers", "retries"]
Stopped = Literal["syn_out", "syn_in", "answer"]
"""Which packet a rule stops: the SYN on its way out of this host, or in at the target; or the answer on its way in."""

Verdict = Literal["cause", "possible", "exonerated", "unknown", "fact"]
"""``cause``: this alone makes it fail. ``possible``: it may. ``exonerated``: it is not this. ``unknown``: it could not
be seen. ``fact``: no cause, but it decides what the caller sees (how long it takes)."""


@dataclass(frozen=True, slots=True)
class LocalCause:
    """One thing on this host that could stop a connect, and what the facts say of it."""

    kind: CauseKind
    verdict: Verdict
    sentence: str
    """One sentence (may hold hostile text: rules of packet filters have comments)."""
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None
    confirm: str | None = None
    """A command that anyone can run to see it."""
    stops: Stopped | None = None
    """Which packet the packet filter stops; null for other causes."""
