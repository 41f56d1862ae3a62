"""HO201: a key that the kernel does not have."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import is_late
from halfopen.knowledge.sysctls import find, pattern
from halfopen.knowledge.sysctls.names import NAMES
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding, Severity

#: Of keys below these the list of names is complete; others come with modules and drivers.
_KNOWN = ("net.ipv4.tcp_", "net.ipv4.ip_", "net.ipv4.icmp_", "net.core.", "net.ipv4.conf.*.", "net.ipv6.conf.*.")


class KeyNotOnThisKernel(Check):
    """A line for a key that this kernel does not have sets nothing.

    ## What it finds
    Keys below `net.` that were removed, that came with a later kernel, or that no kernel has because of a slip of the
    pen. With `--kernel running`, the default, the running kernel is asked; otherwise the release decides.

    ## Why it matters
    `sysctl -p` prints an error and exits with 1, which stops scripts and unit files; systemd-sysctl passes over it in
    silence at boot. `tcp_tw_recycle` was removed in 4.12, and before that it dropped the SYNs of clients behind NAT.

    ## Evidence
    The key, and the kernel it was held against.

    ## Confirm by hand
    `ls /proc/sys/net/ipv4/tcp_tw_recycle`.

    ## Remedy
    Delete the line, or write the key's right name. Where one file serves several kernels, put `-` before the key:
    errors are then ignored.

    ## When it is wrong
    A vendor's kernel may have keys of later releases: check on such a machine with `--kernel running`. Keys of modules
    that are not loaded yet are not reported here but by HO214.

    ## References
    Linux 4.12, commit 4396e46187ca; sysctl.d(5).
    """

    code = "HO201"
    name = "key-not-on-this-kernel"
    severity = "warning"
    harm = "untidy"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line for such a key."""
        for document, item in context.settings():
            key = item.key
            if not key.startswith("net.") or "*" in key or is_late(key) or not context.kernel.lacks(key):
                continue
            row = find(key)
            if row is not None:
                late = row.since is not None and context.kernel.version < row.since
                cause = (
                    f"it came with Linux {row.since}: on {context.kernel.version} the line fails"
                    if late
                    else f"it was removed after Linux {row.until}: sysctl -p fails on the line, boot passes over it"
                    if row.until
                    else "this kernel does not have it: the line fails"
                )
                instead = "put - before the key where older kernels read the file too" if late else "delete the line"
                severity: Severity | None = "notice" if late and item.ignore_errors else None
                yield self.on(document, item, cause, instead, severity=severity)
            elif pattern(key).startswith(_KNOWN):
                yield self.on(document, item, *_unknown(key))


def _unknown(key: str) -> tuple[str, str]:
    near = get_close_matches(pattern(key), NAMES, n=1, cutoff=0.85)
    cause = "no kernel that we know has this key: the line sets nothing"
    return cause, f"did you mean {near[0]}?" if near else "delete the line"
