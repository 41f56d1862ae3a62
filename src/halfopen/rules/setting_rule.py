"""Rules about one kernel setting in one namespace: the shape they share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from halfopen.knowledge.sysctl_files import value_of
from halfopen.model.finding import Remedy
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctl_files import Place, Reader
    from halfopen.model.finding import Confidence, Evidence, Finding, Harm, Severity
    from halfopen.rules.context import Context
    from halfopen.rules.space import Space


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be said of a value."""

    cause: str
    evidence: tuple[Evidence | None, ...] = ()
    severity: Severity | None = None
    harm: Harm | None = None
    confidence: Confidence = "certain"
    want: str | None = None
    """The value to set, where it is not the rule's ``want``."""


class SettingRule(Rule):
    """A rule that looks at the running value of one setting that is a number, in every namespace."""

    key: ClassVar[str]
    want: ClassVar[str | None] = None
    """The value to go back to; None: a person has to choose."""
    advice: ClassVar[str]
    """The remedy in a sentence."""
    needs = ("sysctls",)

    @abstractmethod
    def judge(self, space: Space, value: int) -> Judgement | None:
        """What is to be said of ``value``; None when nothing is."""

    def check(self, context: Context) -> Iterator[Finding]:
        """One finding for each namespace."""
        for space in context.spaces:
            value = space.sysctl(self.key)
            if value is None or (said := self.judge(space, value)) is None:
                continue
            want = said.want or self.want
            place = set_in(context, space, self.key)
            kept = (f"Change it in {place}, too, or it comes back.",) if place is not None and want is not None else ()
            yield self.finding(
                space.key(self.key),
                said.cause,
                (space.setting(self.key), *said.evidence),
                remedy=Remedy(self.advice, () if want is None else (space.change(self.key, want),), kept),
                confirm=space.command(f"sysctl {self.key}"),
                severity=said.severity,
                harm=said.harm,
                confidence=said.confidence,
            )


def reader(context: Context) -> Reader:
    """Who applies the files at boot: systemd-sysctl where systemd is process 1."""
    return "systemd-sysctl" if context.now.host.init == "systemd" else "sysctl --system"


def set_in(context: Context, space: Space, key: str) -> Place | None:
    """The line of the file that sets ``key`` at boot; files are the host's."""
    if space.now.kind != "host":
        return None
    return value_of(key, context.now.setting_files, reader(context))
