"""HO223: a secret in a configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.knowledge.sysctls import find
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding


class SecretInFile(Check):
    """A key of Fast Open or of stable addresses stands in a file.

    ## What it finds
    `net.ipv4.tcp_fastopen_key` and `net.ipv6.conf.*.stable_secret`.

    ## Why it matters
    The kernel lets only root read them (mode 0600); files of sysctl.d and repositories are read by all. Whoever knows
    the key can forge Fast Open cookies and so send requests from spoofed addresses.

    ## Evidence
    The key. Its value is not repeated.

    ## Confirm by hand
    `ls -l` of the file.

    ## Remedy
    Write it from a secret store into a file of mode 0600.

    ## When it is wrong
    When the file is 0600 and no repository holds it.

    ## References
    Documentation/networking/ip-sysctl.rst.
    """

    code = "HO223"
    name = "secret-in-file"
    severity = "warning"
    harm = "risk"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, item in context.settings():
            row = find(item.key)
            if row is not None and row.secret and (item.value or "").strip(" \"'") and "$" not in (item.value or ""):
                yield self.at(
                    document,
                    (item.line, item.column),
                    item.key,
                    "it is a secret, which the kernel shows to root only; files like this are read by others",
                    "write it from a secret store into a file of mode 0600",
                    kind="setting",
                )
