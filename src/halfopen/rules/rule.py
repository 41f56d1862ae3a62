"""What a rule is: a code, a name, a manual page, and a pure function from facts to findings.

**Architecture Invariant:** a rule sees a ``Context`` and nothing else. It reads no file, clock or socket, so that each
is tested from a literal and a snapshot of another machine is judged like one of this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from halfopen.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from halfopen.model.finding import Confidence, Evidence, Harm, Remedy, Severity, Subject
    from halfopen.rules.context import Context

Need = Literal[
    "sockets", "counters", "sysctls", "setting_files", "packet_filter", "conntrack", "tcp_metrics", "kernel_log",
    "owners", "listener_options", "interval",
]  # fmt: skip
"""A part of the snapshot. A rule whose need is missing stays silent, and HO901 says that it did."""

NEEDS: tuple[Need, ...] = get_args(Need)


class Rule(ABC):
    """One rule. Its docstring is its manual page, under the headings of ``page.HEADINGS``."""

    code: ClassVar[str]
    """``HO101``: the family's digit, and a number."""
    name: ClassVar[str]
    """Kebab-case; reads after «ignore»: ``accept-queue-overflow``."""
    severity: ClassVar[Severity]
    """Of its findings, where the facts do not say otherwise."""
    harm: ClassVar[Harm]
    """Of its findings, where the facts do not say otherwise."""
    needs: ClassVar[tuple[Need, ...]] = ()
    """Without these it cannot judge."""
    proof: ClassVar[str | None] = None
    """The lab experiment that makes it fire on a real kernel, and its remedy help."""
    absorbs: ClassVar[tuple[str, ...]] = ()
    """Codes of rules whose findings on the same subject have this one's cause."""

    @abstractmethod
    def check(self, context: Context) -> Iterator[Finding]:
        """Every finding that the facts give rise to."""

    def finding(
        self,
        subject: Subject,
        cause: str,
        evidence: Iterable[Evidence | None] = (),
        *,
        remedy: Remedy | None = None,
        confirm: str | None = None,
        severity: Severity | None = None,
        harm: Harm | None = None,
        confidence: Confidence = "certain",
    ) -> Finding:
        """A finding of this rule; evidence that is None is left out."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            harm=harm or self.harm,
            subject=subject,
            cause=cause,
            evidence=tuple(item for item in evidence if item is not None),
            remedy=remedy,
            confirm=confirm,
            proof=self.proof,
            confidence=confidence,
        )
