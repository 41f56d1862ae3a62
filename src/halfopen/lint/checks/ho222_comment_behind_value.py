"""HO222: a comment behind a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_text import without_comment
from halfopen.knowledge.sysctls import find
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class CommentBehindValue(Check):
    """There are no comments behind a value in sysctl files.

    ## What it finds
    `key = value # comment` in a sysctl file.

    ## Why it matters
    Everything behind `=` is the value. For numbers the kernel drops what follows the first blank in silence; text,
    such as a congestion control, is refused: «No such file or directory». Measured on 6.18: `reno # x` is refused, `1
    # x` sets 1.

    ## Evidence
    The value as the kernel gets it.

    ## Confirm by hand
    `sysctl -p FILE`.

    ## Remedy
    Put the comment on a line of its own, above.

    ## When it is wrong
    Never; for numbers it is harmless, and a notice.

    ## References
    sysctl.d(5); Linux `kernel/sysctl.c`, `proc_get_long`.
    """

    code = "HO222"
    name = "comment-behind-value"
    severity = "warning"
    harm = "untidy"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings():
            value = item.value or ""
            if document.kind != "sysctl" or not item.key.startswith("net.") or without_comment(value) == value.strip():
                continue
            row = find(item.key)
            harmless = item.numbers is not None and (row is None or row.count > 0)
            yield self.on(
                document,
                item,
                "the comment is part of the value"
                + (", which the kernel happens to ignore" if harmless else ": the write fails"),
                "put the comment on a line of its own",
                want=without_comment(value) or None,
                severity="notice" if harmless else None,
            )
