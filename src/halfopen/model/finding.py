"""What a rule has found: who, why, how that is known, and the one change that helps. design.md section 7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["critical", "warning", "notice"]
Harm = Literal["failing", "slow", "growing", "risk", "untidy"]
Confidence = Literal["certain", "likely", "possible"]
SubjectKind = Literal["listener", "destination", "setting", "namespace", "process", "filter", "file", "host"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Worst first."""
HARMS: tuple[Harm, ...] = get_args(Harm)
"""Connections fail now > are slow now > will fail at this growth > a risk > untidy: the order of the report."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What the finding is about. ``name`` is how a person calls it; the rest is for programs."""

    kind: SubjectKind
    name: str
    """``0.0.0.0:443 (nginx)``, ``net.ipv4.tcp_syncookies``, ``10.0.0.5:5432`` (may hold hostile text)."""
    netns: str | None = None
    """Name of the namespace; null: the whole host, or no namespace (a file)."""
    address: str | None = None
    port: int | None = None
    key: str | None = None
    """The kernel setting."""
    process: str | None = None
    pid: int | None = None
    unit: str | None = None
    container: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """One number or word that speaks for the finding, with its unit and where it was read."""

    what: str
    """``connections dropped``, ``accept queue``."""
    value: float | str | None
    unit: str | None = None
    """``connections``, ``per second``, ``ms``; null for words and bare counts that name their unit in ``what``."""
    source: str = ""
    """``sock_diag SK_MEMINFO_DROPS``, ``/proc/net/netstat TcpExt ListenOverflows``, ``/etc/sysctl.d/99-a.conf:3``."""


@dataclass(frozen=True, slots=True)
class Change:
    """One reversible setting. ``plan`` and ``apply`` will carry these out; until then a person does."""

    kind: Literal["sysctl", "route", "nft", "file"]
    key: str
    """``net.core.somaxconn``, or the file and line."""
    want: str | None
    """The new value; null: remove it."""
    now: str | None = None
    netns: str | None = None
    command: str | None = None
    """What a person types to make it, until the next boot; null where there is no such command."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """The change that helps on this kernel, in this state."""

    summary: str
    """One sentence in the imperative: what to do."""
    changes: tuple[Change, ...] = ()
    """What a program could do."""
    person: tuple[str, ...] = ()
    """What a person must do: edit the application's configuration, restart it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that fired."""

    code: str
    """``HO101``."""
    name: str
    """``accept-queue-overflow``."""
    severity: Severity
    harm: Harm
    subject: Subject
    cause: str
    """One sentence."""
    evidence: tuple[Evidence, ...] = ()
    remedy: Remedy | None = None
    """Null where nothing needs to be changed."""
    confirm: str | None = None
    """A command that anyone can run to see it."""
    proof: str | None = None
    """The lab experiment that shows it."""
    confidence: Confidence = "certain"
    also: tuple[str, ...] = ()
    """Codes of findings with the same cause that were merged into this one."""
    file: str | None = None
    """lint: the file."""
    line: int | None = None
    """lint: 1-based."""
    column: int | None = None
    """lint: 1-based."""
