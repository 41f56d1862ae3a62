"""What a check is: a code, a name, a manual page, and a pure function from files to findings."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from halfopen.model.finding import Change, Evidence, Finding, Remedy, Subject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctl_text import Assignment
    from halfopen.lint.context import Context
    from halfopen.lint.document import Document
    from halfopen.model.finding import Harm, Severity, SubjectKind


class Check(ABC):
    """One check. Its docstring is its manual page, under the headings of ``page.HEADINGS``."""

    code: ClassVar[str]
    name: ClassVar[str]
    """Kebab-case; reads after «ignore»."""
    severity: ClassVar[Severity]
    harm: ClassVar[Harm]
    proof: ClassVar[str | None] = None
    """The lab experiment that shows on a real kernel what it says; None: no experiment does."""

    @abstractmethod
    def check(self, context: Context) -> Iterator[Finding]:
        """Every finding in the files."""

    def at(
        self,
        document: Document,
        place: tuple[int, int],
        subject: str,
        cause: str,
        instead: str | None = None,
        *,
        kind: SubjectKind = "file",
        evidence: tuple[Evidence, ...] = (),
        changes: tuple[Change, ...] = (),
        confirm: str | None = None,
        severity: Severity | None = None,
        harm: Harm | None = None,
    ) -> Finding:
        """A finding at ``place`` (line, column); ``instead`` is what to write."""
        return Finding(
            code=self.code,
            name=self.name,
            severity=severity or self.severity,
            harm=harm or self.harm,
            subject=Subject(kind, subject, key=subject if kind == "setting" else None),
            cause=cause,
            evidence=evidence,
            remedy=None if instead is None else Remedy(instead, changes),
            confirm=confirm,
            proof=self.proof,
            file=document.path,
            line=place[0],
            column=place[1],
        )

    def on(
        self,
        document: Document,
        item: Assignment,
        cause: str,
        instead: str | None = None,
        *,
        want: str | None = None,
        severity: Severity | None = None,
        fails: bool = False,
    ) -> Finding:
        """A finding about a setting, at its key.

        Args:
            document: where it stands.
            item: the setting.
            cause: what is wrong.
            instead: what to write.
            want: the value that a program could write.
            severity: where it is not the check's own.
            fails: writing it is an error, which may hold up what it is a part of.
        """
        held_up = item.holds_up if fails else None
        place = f"{document.path}:{item.line}"
        change = (Change("file", place, f"{item.key} = {want}", now=f"{item.key} = {item.value}"),) if want else ()
        return self.at(
            document,
            (item.line, item.column),
            item.key,
            cause if held_up is None else f"{cause}, and {held_up} does not start",
            instead,
            kind="setting",
            evidence=(Evidence("value in the file", item.value, source=place),),
            changes=change,
            confirm=f"sysctl {item.key}" if _is_plain(item.key) else None,
            severity=severity,
            harm=None if held_up is None else "failing",
        )


def _is_plain(key: str) -> bool:
    """Whether the key may stand in a command that somebody will copy into a shell."""
    return key.replace(".", "").replace("_", "").replace("-", "").isalnum() and key.isascii()
