"""All checks over all files of a run, in the order in which a person reads them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from halfopen.lint.context import Context
from halfopen.lint.registry import CHECKS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from halfopen.lint.check import Check
    from halfopen.lint.document import Document
    from halfopen.lint.kernel import Kernel
    from halfopen.model.finding import Finding

LIKE_MAX = 100
"""Findings of one check in one file that are kept; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was found."""

    findings: tuple[Finding, ...] = ()
    """By file as given, line and column."""
    left_out: dict[tuple[str, str], int] = field(default_factory=dict)
    """{(file, code): findings beyond the hundredth}."""


def lint(documents: Sequence[Document], kernel: Kernel, ignored: Collection[str] = ()) -> Result:
    """Hold every check against the files.

    Args:
        documents: the files.
        kernel: what they are for.
        ignored: codes and names of checks to leave out.
    """
    context = Context(tuple(documents), kernel)
    order = {document.path: position for position, document in reversed(list(enumerate(documents)))}
    unwanted = {word.lower() for word in ignored}
    silenced = {(document.path, line): words for document in documents for line, words in document.suppressed.items()}
    counts: Counter[tuple[str, str]] = Counter()
    found: list[Finding] = []
    seen: set[tuple[object, ...]] = set()
    for check in CHECKS:
        names = _names(check)
        for finding in () if unwanted & names else check.check(context):
            file = finding.file or ""
            # What a script sets now and writes to a file besides stands in one place, and is told once.
            told = (file, finding.line, finding.column, finding.code, finding.subject.name)
            if names & silenced.get((file, finding.line or 0), frozenset()) or told in seen:
                continue
            seen.add(told)
            counts[file, check.code] += 1
            if counts[file, check.code] <= LIKE_MAX:
                found.append(finding)
    found.sort(key=lambda item: (order[item.file or ""], item.line or 0, item.column or 0, item.code))
    return Result(tuple(found), {place: count - LIKE_MAX for place, count in counts.items() if count > LIKE_MAX})


def _names(check: Check) -> frozenset[str]:
    return frozenset({check.code.lower(), check.name})
