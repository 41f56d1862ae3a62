"""HO831: a line that is not of the format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.lint.document import Command, Word
    from halfopen.model.finding import Finding

SHOWN_MAX = 20
"""Of one file: a file of another format would have a finding a line."""
_MARK = "a byte order mark stands before the key and becomes part of it: the line sets nothing"


class LineNotUnderstood(Check):
    """The line is neither a setting nor a comment, neither a rule nor a chain.

    ## What it finds
    Lines of sysctl files without `=`, or behind a byte order mark; lines of rulesets that their program would not
    read; `sysctl -w key = value` and `sysctl -w key=1 2` in scripts.

    ## Why it matters
    sysctl and systemd-sysctl pass over such a line with a message that nobody reads at boot (a byte order mark becomes
    part of the key, and there is no such key); iptables-restore and nft refuse the whole file. The command sysctl takes
    each word for a setting: of `key = value` it sets nothing, of `key=1 2` the first number only, and exits with 1.

    ## Evidence
    The line.

    ## Confirm by hand
    `sysctl -p FILE`, `iptables-restore --test FILE`, `nft -c -f FILE`.

    ## Remedy
    Write `key = value`, or put `#` before a remark.

    ## When it is wrong
    When the file is a template that is filled in later.

    ## References
    sysctl.d(5).
    """

    code = "HO831"
    name = "line-not-understood"
    severity = "warning"
    harm = "untidy"
    proof = "settings-in-files"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document in context.documents:
            if document.has_mark and document.kind == "sysctl" and any(item.line == 1 for item in document.settings):
                yield self.at(document, (1, 1), document.path, _MARK, "save the file as UTF-8 without a mark")
            for defect in document.defects[:SHOWN_MAX]:
                yield self.at(
                    document,
                    (defect.line, defect.column),
                    document.path,
                    f"neither a setting nor a comment: {defect.text}",
                    "write key = value",
                )
            for fault in document.ruleset.defects[:SHOWN_MAX]:
                yield self.at(document, (fault.line, 1), document.path, f"not understood: {fault.why}")
        for document, command in context.commands("sysctl"):
            for word in _stray(command):
                yield self.at(
                    document,
                    (word.line, word.column),
                    "sysctl",
                    f"it takes {word.text} for a setting of its own, and fails on it",
                    "write key=value without blanks, and several numbers in quotes",
                )


def _stray(command: Command) -> Iterator[Word]:
    """The first word that is no option, no key and no setting: of ``key = value``, and of ``key=1 2``."""
    for word in command.words[1:]:
        if _STRAY.fullmatch(word.text):
            yield word
            return


_STRAY = re.compile(r"=.*|\d+")
