"""HO704: TCP's buffers take nearly all the memory that they may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.model.finding import Evidence, Remedy
from halfopen.model.quantity import size
from halfopen.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.model.finding import Finding
    from halfopen.rules.context import Context

KEY = "net.ipv4.tcp_mem"


class Memory(Rule):
    """TCP's buffers take as much memory as they may.

    ## What it finds
    Pages in TCP's buffers above the second number of `tcp_mem` (pressure), or the third (the end).

    ## Why it matters
    Under pressure the kernel shrinks buffers and windows; at the end it drops what arrives and new connections cannot
    be made. The numbers are pages, not bytes: a value that was meant in bytes is 4096 times too large, one in megabytes
    far too small. That they are pages, the experiment `setting-writes` shows; what happens at the limits is from the
    kernel's source: they are the whole host's, and an experiment would take from other programs.

    ## Evidence
    Pages in use on the whole host, and `tcp_mem`.

    ## Confirm by hand
    `cat /proc/net/sockstat` (`mem`) against `sysctl net.ipv4.tcp_mem`.

    ## Remedy
    Find the connections with full queues: `ss -tm`, `Recv-Q` and `Send-Q`. Raise `tcp_mem` only if the memory is there.

    ## When it is wrong
    A limit that somebody set on purpose.

    ## References
    tcp(7), tcp_mem; Linux `net/core/sock.c` `__sk_mem_raise_allocated`.
    """

    code = "HO704"
    name = "tcp-memory-pressure"
    severity = "warning"
    harm = "slow"
    needs = ("sysctls",)

    def check(self, context: Context) -> Iterator[Finding]:
        """At most one finding: the memory is the whole host's."""
        space, pages = context.host, context.now.shared.memory_pages
        limits = [] if space is None else space.now.sysctls.get(KEY, "").split()
        if space is None or pages is None or len(limits) != 3 or not all(word.isdigit() for word in limits):
            return
        _, pressure, most = map(int, limits)
        if pages < pressure or not pressure:
            return
        page = context.now.host.page_bytes
        yield self.finding(
            space.key(KEY),
            f"TCP's buffers take {size(pages * page)}; from {size(pressure * page)} on they are shrunk, and at "
            f"{size(most * page)} "
            "connections fail.",
            (Evidence("TCP's buffers", pages, "pages", "/proc/net/sockstat TCP mem"), space.setting(KEY)),
            remedy=Remedy("Find the connections with full queues.", (), ("ss -tm",)),
            confirm="cat /proc/net/sockstat",
            severity="critical" if pages >= most else None,
            harm="failing" if pages >= most else None,
        )
