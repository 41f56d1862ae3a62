"""All checks over all files of a run, in the order in which a person reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.context import Context
from halfopen.lint.registry import CHECKS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from halfopen.lint.document import Document
    from halfopen.lint.kernel import Kernel
    from halfopen.model.finding import Finding


def lint(documents: Sequence[Document], kernel: Kernel, ignored: Collection[str] = ()) -> tuple[Finding, ...]:
    """Every finding, by file as given, line and column.

    Args:
        documents: the files.
        kernel: what they are for.
        ignored: codes and names of checks to leave out.
    """
    context = Context(tuple(documents), kernel)
    order = {document.path: position for position, document in reversed(list(enumerate(documents)))}
    left_out = {word.lower() for word in ignored}
    silenced = {(document.path, line): words for document in documents for line, words in document.suppressed.items()}
    found = [
        finding
        for check in CHECKS
        if not left_out & {check.code.lower(), check.name}
        for finding in check.check(context)
        if not {check.code.lower(), check.name} & silenced.get((finding.file or "", finding.line or 0), frozenset())
    ]
    return tuple(sorted(found, key=lambda item: (order[item.file or ""], item.line or 0, item.column or 0, item.code)))
