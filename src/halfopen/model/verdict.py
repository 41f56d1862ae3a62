"""What ``halfopen doctor HOST:PORT`` concludes about one target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from halfopen.model.calls import ThreadCall
    from halfopen.model.cause import LocalCause
    from halfopen.model.finding import Severity
    from halfopen.model.probe import ProbeResult
    from halfopen.model.target import Target

VerdictKind = Literal[
    "healthy", "slow_syn", "accept_starvation", "data_lost", "refused", "unreachable", "silent_drop", "not_sent",
    "not_resolved", "mixed",
]  # fmt: skip
"""``slow_syn``: connects that needed a second SYN. ``accept_starvation``: the handshake completes, and the application
does not take the connection. ``data_lost``: the handshake completes, and the first data of the server gets lost.
``silent_drop``: no answer of any kind. ``not_sent``: this host sent no SYN. ``mixed``:
some connects work and some fail."""

VERDICT_KINDS: tuple[VerdictKind, ...] = get_args(VerdictKind)

SEVERITIES: dict[VerdictKind, Severity | None] = {
    "healthy": None,
    "slow_syn": "warning",
    "accept_starvation": "critical",
    "data_lost": "critical",
    "refused": "critical",
    "unreachable": "critical",
    "silent_drop": "critical",
    "not_sent": "critical",
    "not_resolved": "critical",
    "mixed": "critical",
}
"""What ``--fail-on`` takes a verdict of this kind for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The conclusion, what speaks for it, and what would speak against it."""

    kind: VerdictKind
    sentence: str
    evidence: tuple[str, ...] = ()
    """Sentences (may hold hostile text)."""
    severity: Severity | None = None
    """What ``--fail-on`` takes it for: that of its kind, or less; null where nothing is wrong."""
    falsified_by: str = ""
    """What, if it were seen, would make the verdict wrong: one sentence."""
    steps: tuple[str, ...] = ()
    """What to do next, the first first (may hold hostile text)."""
    check: str | None = None
    """A command that shows what the verdict rests on (may hold hostile text)."""
    told: tuple[str, ...] = ()
    """Rules of the doctor whose findings say the same (``HO101``): a screen need not repeat them."""


@dataclass(frozen=True, slots=True)
class Packets:
    """What a capture of the connects shows."""

    packets: int
    """Packets captured, on every interface of this namespace."""
    dropped: int
    """Packets that the kernel had no room for."""
    outcomes: dict[str, int]
    """{outcome: handshakes}, as the packets tell it."""
    syn_sent: int
    """SYNs that went out, those sent again included."""
    syn_ack_sent: int
    """SYN-ACKs that came back."""
    own_syn_sent: int | None = None
    """Of the SYNs, those of these connects: others may connect to the target meanwhile."""
    own_syn_ack_sent: int | None = None
    """Of the SYN-ACKs, those to these connects."""
    sentences: tuple[str, ...] = ()
    """What there is to say of them."""
    file: str | None = None
    """Where the packets are kept (may be hostile text)."""


@dataclass(frozen=True, slots=True)
class TargetReport:
    """All that was found out about one target."""

    target: Target
    addresses: tuple[str, ...] = ()
    """What its name stands for."""
    resolve_us: float | None = None
    """What finding that out took, microseconds; null for an address."""
    own: bool = False
    """Whether an address is one of this host's own."""
    place: str | None = None
    """The network namespace of this host that has it, where that is not the one that the connects were made from."""
    results: tuple[ProbeResult, ...] = ()
    """The connects, in their order."""
    causes: tuple[LocalCause, ...] = ()
    """What on this host could stop a connect, the most likely first."""
    verdict: Verdict | None = None
    calls: tuple[ThreadCall, ...] = ()
    """What the threads of the process that was asked about do."""
    packets: Packets | None = None
    """What the packets of the connects show, where they were captured."""
