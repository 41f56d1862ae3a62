"""Why a connect from this host may fail before anything comes back: one local cause, judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from halfopen.model.finding import Evidence, Remedy

CauseKind = Literal["ports", "route", "filter", "conntrack", "rp_filter", "translation", "peers", "retries", "listener"]
Stopped = Literal["syn_out", "syn_through", "syn_in", "answer"]
"""Which packet is stopped, and where: the SYN on its way out of this host, through another network namespace of it,
or in at the target; or the answer, anywhere."""

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
    """Which packet it stops; null where no packet is sent, or where that is not known."""
    netns: str | None = None
    """The network namespace where that is; null: the one that connects."""
    rule: str | None = None
    """The rule of the doctor whose finding says the same (``HO602``)."""
    sends_on_to: str | None = None
    """``10.0.0.5:80``: where a translation sends what was meant for the target."""
    if_sure: str | None = None
    """The sentence where something else shows that a ``possible`` one is it (may hold hostile text)."""
