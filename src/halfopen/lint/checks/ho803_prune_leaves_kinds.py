"""HO803: a backup script that prunes only some of its files."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from halfopen.lint.check import Check
from halfopen.lint.dated_files import removed, removed_by_name, sample, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


PAIRS_MAX = 10_000
"""Kinds of files times patterns. No script by a person has as many."""


class PruneLeavesKinds(Check):
    """A backup script that removes old files of one kind only fills the disk with the others.

    ## What it finds
    Scripts that write several kinds of files with a date in their names, and remove old ones by patterns that do not
    match each kind.

    ## Why it matters
    The kinds that no pattern matches are kept for ever. The disk fills in months, and then the backup that is needed
    is the one that failed.

    ## Evidence
    The files written, and the patterns removed.

    ## Confirm by hand
    `ls` in the directory: old files of that kind.

    ## Remedy
    Remove by a pattern that matches every kind, or put the files of one run into one archive.

    ## When it is wrong
    When another program removes the others.

    ## References
    `man find`, `-name`.
    """

    code = "HO803"
    name = "prune-leaves-kinds"
    severity = "warning"
    harm = "growing"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document in context.documents:
            names = dict(document.variables)
            kept = {pattern for command in document.commands for pattern in removed(command, document.commands, names)}
            if not kept:
                continue
            own = {kind for command in document.commands for kind in removed_by_name(command, names)}
            kinds = {kind: place for kind, place in written(document.commands, names) if kind not in own}
            if len(kinds) * len(kept) > PAIRS_MAX:
                continue
            left = [kind for kind in kinds if not any(fnmatchcase(sample(kind), pattern) for pattern in kept)]
            if len(kinds) > 1 and 0 < len(left) < len(kinds):
                for kind in left:
                    yield self.at(
                        document,
                        kinds[kind],
                        kind,
                        f"old files like this are never removed: the script prunes {', '.join(sorted(kept))} only",
                        "prune by a pattern that matches every kind, or write one archive a run",
                    )
