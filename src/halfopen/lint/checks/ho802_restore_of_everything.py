"""HO802: a restore of all settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check
from halfopen.lint.checks.ho801_secrets_in_backup import saved_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

_BACKUP = re.compile(r"back[-_]?up|\.bak\b|\bsaved?\b|dump", re.IGNORECASE)


class RestoreOfEverything(Check):
    """`sysctl -p` of a file with all settings is no restore.

    ## What it finds
    Scripts that load a file which the same script fills with `sysctl -a`, or whose name says backup.

    ## Why it matters
    Of the output of `sysctl -a` a part is read-only: writing it fails, even for root. `sysctl -p` says so, and exits
    with 0 all the same (procps 4.0.2; not in the experiment, which writes to the kernel's files itself). Order matters
    too: writing `net.ipv4.ip_forward` sets other keys back that were restored before it.

    ## Evidence
    The command.

    ## Confirm by hand
    `sysctl -p FILE; echo $?`: errors, and 0.

    ## Remedy
    Restore only the keys that were changed, `ip_forward` before `conf.*`, and read each back.

    ## When it is wrong
    When the file holds chosen keys only.

    ## References
    sysctl(8); measured with procps 4.0.2 on Linux 6.18.
    """

    code = "HO802"
    name = "restore-of-everything"
    severity = "warning"
    harm = "risk"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        saved = {
            document.path: {target for other in document.commands if (target := saved_to(other, document.commands))}
            for document in context.documents
        }
        for document, command in context.commands("sysctl"):
            loads = [word.text for word in command.words[1:] if re.fullmatch(r"-[qeN]*p|--load(=.*)?|-f", word.text)]
            files = [word.text for word in command.words[1:] if not word.text.startswith("-")]
            for file in files if loads else []:
                if file in saved[document.path] or _BACKUP.search(file):
                    yield self.at(
                        document,
                        (command.line, command.column),
                        "sysctl -p",
                        "a full restore fails on read-only keys, exits with 0 all the same, and its "
                        "order undoes some keys",
                        "restore only the keys that were changed, net.ipv4.ip_forward first, and read each back",
                    )
