"""HO201: a key that the kernel does not have."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from halfopen.knowledge.sysctl_files import is_late
from halfopen.knowledge.sysctls import find, pattern
from halfopen.knowledge.sysctls.gone import gone
from halfopen.knowledge.sysctls.names import NAMES
from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.kernel_version import KernelVersion
    from halfopen.knowledge.sysctl_text import Assignment
    from halfopen.knowledge.sysctls import Sysctl
    from halfopen.knowledge.sysctls.gone import Gone
    from halfopen.lint.context import Context
    from halfopen.lint.document import Document
    from halfopen.lint.kernel import Kernel
    from halfopen.model.finding import Finding, Severity

_PARENTS = ("net.", "ipv4.", "ipv6.", "core.", "netfilter.")
"""Where a key may stand: ``net.`` is left out now and then."""
_OF_BSD = ("net.inet", "net.link.", "net.local.", "net.route.")
"""In scripts for several systems."""
#: Of keys below these the list of names is complete; others come with modules and drivers.
_KNOWN = ("net.ipv4.tcp_", "net.ipv4.ip_", "net.ipv4.icmp_", "net.core.", "net.ipv4.conf.*.", "net.ipv6.conf.*.")


SIMILAR = 0.85
SLIP = 0.95
"""Shares of the letters: a suggestion, and one letter more or less."""
KEY_MAX = 100
SUGGESTIONS_MAX = 100


class KeyNotOnThisKernel(Check):
    """A line for a key that this kernel does not have sets nothing.

    ## What it finds
    Keys below `net.` that were removed, that came with a later kernel, or that no kernel has because of a slip of the
    pen. With `--kernel running`, the default, the running kernel is asked; otherwise the release decides.

    ## Why it matters
    `sysctl -p` prints an error and exits with 1, which stops scripts; so does `sysctl -w`, and a unit whose
    `ExecStartPre=` it is does not start. systemd-sysctl passes over the line at boot with no more than a line in the
    journal, and succeeds. `tcp_tw_recycle` was removed in 4.12, and before that it dropped the SYNs of clients behind
    NAT.

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
    proof = "settings-in-files"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every line for such a key."""
        kernel = context.kernel
        near = _Neighbours()
        for document, item in context.settings():
            key = item.key
            if "*" in key or key in document.tested or not key.startswith(_PARENTS) or key.startswith(_OF_BSD):
                continue
            row, lost = find(key), gone(key)
            if lost is not None:
                if lost.until is None or kernel.version > lost.until:
                    yield self._gone(document, item, lost)
            elif is_late(key):
                continue
            elif row is not None and kernel.lacks(key):
                yield self._known(document, item, row, kernel.version)
            elif row is None and pattern(key) not in NAMES:
                yield from self._unknown(document, item, kernel, near)

    def _unknown(self, document: Document, item: Assignment, kernel: Kernel, near: _Neighbours) -> Iterator[Finding]:
        """What a kernel of another release has is not known, but a slip of the pen is one on each."""
        lacking = kernel.lacks(item.key) or not item.key.startswith("net.")
        complete = pattern(item.key).startswith(_KNOWN)
        # Other keys below these parents come with modules: only what is nearly a key is taken for one.
        meant = near.of(item.key, SIMILAR if lacking and complete else SLIP)
        if (lacking and (complete or meant)) or (complete and meant and kernel.has is None):
            yield self.on(
                document,
                item,
                "no kernel that we know has this key: the line sets nothing",
                f"{meant}, if that is meant" if meant else "delete the line",
                fails=True,
            )

    def _gone(self, document: Document, item: Assignment, lost: Gone) -> Finding:
        instead = "delete the line" if lost.renamed is None else f"write {lost.renamed}, or delete the line"
        return self.on(document, item, f"{lost.why}: the line sets nothing", instead, fails=True)

    def _known(self, document: Document, item: Assignment, row: Sysctl, version: KernelVersion) -> Finding:
        late = row.since is not None and version < row.since
        severity: Severity | None = "notice" if late and item.ignore_errors else None
        if late:
            cause = f"it came with Linux {row.since}: on {version} the line fails"
        elif row.until:
            fails = "the write fails" if item.is_at_once else "sysctl -p fails on the line, boot passes over it"
            cause = f"it was removed after Linux {row.until}: {fails}"
        else:
            cause = "this kernel does not have it: the line fails"
        instead = "put - before the key where older kernels read the file too" if late else "delete the line"
        return self.on(document, item, cause, instead, severity=severity, fails=True)


def _by_last_name() -> dict[str, str]:
    """Last name → key, where only one key has it."""
    keys: dict[str, list[str]] = {}
    for name in NAMES:
        keys.setdefault(name.rpartition(".")[2], []).append(name)
    return {last: names[0] for last, names in keys.items() if len(names) == 1 and "*" not in names[0]}


_LAST_NAMES = _by_last_name()


class _Neighbours:
    """Looks for keys that are spelled alike, which takes a millisecond each: not for a file full of them."""

    def __init__(self) -> None:
        self._left = SUGGESTIONS_MAX

    def of(self, key: str, cutoff: float) -> str | None:
        """The key that this may have been meant to be."""
        if not key.startswith("net."):
            meant = f"net.{key}"
            return meant if pattern(meant) in NAMES or find(meant) else None
        self._left -= 1
        if self._left < 0:
            return None
        whole = get_close_matches(pattern(key)[:KEY_MAX], NAMES, n=1, cutoff=cutoff)
        return next(iter(whole), None) or _elsewhere(key, cutoff)


def _elsewhere(key: str, cutoff: float) -> str | None:
    """The key of such a last name below another parent: ``net.ipv4.tcp_somaxconn`` is ``net.core.somaxconn``."""
    last = key.rpartition(".")[2].removeprefix("tcp_")[:KEY_MAX]
    found = get_close_matches(last, _LAST_NAMES, n=1, cutoff=cutoff)
    return _LAST_NAMES[found[0]] if found else None
