"""HO221: lines that must stand in another order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.knowledge.sysctl_text import Assignment
    from halfopen.lint.context import Context
    from halfopen.lint.document import Document
    from halfopen.model.finding import Finding


FORWARD = "net.ipv4.ip_forward"
START = "net.ipv4.ip_unprivileged_port_start"
RANGE = "net.ipv4.ip_local_port_range"
START_DEFAULT = 1024

_RESET = re.compile(r"net\.ipv4\.conf\.[^.]+\.(?:accept_redirects|forwarding)")
"""Keys that a change of ip_forward was seen to set back."""


class SettingOrder(Check):
    """Some keys reset or bound others, so that their order matters.

    ## What it finds
    A file that writes `net.ipv4.ip_forward` behind `net.ipv4.conf.*` keys; an `ip_local_port_range` that begins below
    `ip_unprivileged_port_start` as it stands at that line.

    ## Why it matters
    Writing `ip_forward` sets other keys below `conf` back (`accept_redirects`, `forwarding`), so that earlier lines
    are undone. A port range that begins below the first unprivileged port (1024) is refused, unless that was lowered
    in a line before.

    ## Evidence
    Both lines.

    ## Confirm by hand
    Apply the file twice with `sysctl -p` and compare `sysctl -a` in between.

    ## Remedy
    Write `ip_forward` first and `conf.*` behind it; `ip_unprivileged_port_start` before the range.

    ## When it is wrong
    Where the value of `ip_forward` does not change: then nothing is reset.

    ## References
    Linux `net/ipv4/devinet.c`, `inet_forward_change`.
    """

    code = "HO221"
    name = "setting-order"
    severity = "warning"
    harm = "risk"
    proof = "setting-writes"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document in context.documents:
            yield from self._forwarding(document)
            yield from self._port_range(document)

    def _forwarding(self, document: Document) -> Iterator[Finding]:
        undone_by: dict[str, Assignment] = {}
        for item in document.settings:
            if _RESET.fullmatch(item.key):
                undone_by.setdefault(item.into, item)
            undone = undone_by.get(item.into)
            if item.key == FORWARD and undone is not None and undone.line < item.line:
                yield self.on(
                    document,
                    item,
                    f"a change of ip_forward sets {undone.key} of line {undone.line} back",
                    "write net.ipv4.ip_forward before the keys below net.ipv4.conf",
                )

    def _port_range(self, document: Document) -> Iterator[Finding]:
        start = START_DEFAULT
        for item in document.settings:
            if item.key == START and item.number is not None:
                start = item.number
            if item.key == RANGE and item.numbers and len(item.numbers) == 2 and 0 < item.numbers[0] < start:
                yield self.on(
                    document,
                    item,
                    f"the kernel refuses a range that begins below ip_unprivileged_port_start, {start} at this line",
                    f"begin the range at {start} or above",
                )
