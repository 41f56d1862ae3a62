"""What a row of the table of settings says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from halfopen.knowledge.kernel_version import KernelVersion

Scope = Literal["namespace", "global"]
Moment = Literal["packet", "timer", "connect", "bind", "close", "listen", "socket", "module", "never"]

BYTES_SINCE = KernelVersion(5, 10)
"""Settings that are switches or small counts were kept as int, and are kept as bytes since 5.13 (commit 4ecc1baf362c
and those beside it); stable kernels of 5.10 got it too, 4.19 takes any number (``net/ipv4/sysctl_net_ipv4.c``)."""
INT_MAX = 2**31 - 1
INT_MIN = -(2**31)

MOMENTS: dict[Moment, str] = {
    "packet": "with the next packet",
    "timer": "when the next timer fires, for connections under way too",
    "connect": "with the next connect()",
    "bind": "with the next bind() or connect()",
    "close": "with the next close()",
    "listen": "when a program calls listen(): running listeners keep what they have until they are restarted",
    "socket": "for sockets that are created later",
    "module": "once the module is loaded that has the key",
    "never": "never: it is read-only",
}
"""When a change takes effect, as the end of a sentence (fact F126)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sysctl:
    """One kernel setting. Defaults are those of a fresh network namespace on Linux 6.18."""

    key: str
    """``net.ipv4.tcp_syncookies``; ``*`` stands for an interface, ``all`` or ``default``."""
    does: str
    """What it really does: one sentence without its subject («Sends SYN cookies when…»)."""
    effect: Moment
    facts: tuple[int, ...]
    """Numbers of the project's list of kernel facts, where the source and the experiment stand."""
    default: str | None = None
    """None where it depends on memory or is not known."""
    scope: Scope = "namespace"
    accepts: tuple[int, int] | None = None
    """Smallest and largest number that 6.18 accepts (measured), for every number of the value."""
    bounded_since: KernelVersion | None = None
    """The first kernel with these bounds; those before it took any number. None: as old as anything in use."""
    sensible: tuple[int, int] | None = None
    """Numbers with a meaning, where the kernel accepts more than those (fact F125)."""
    count: int = 1
    """How many numbers a value has; 0 for text."""
    since: KernelVersion | None = None
    """The first kernel that has it; None: older than anything in use."""
    until: KernelVersion | None = None
    """The last kernel that has it; None: 6.18 still does."""
    earlier_default: tuple[KernelVersion, str] | None = None
    """The first kernel with ``default``, and the default before it."""
    myth: str | None = None
    """What is widely believed of it, and false."""
    secret: bool = False
    """Never to be copied into a backup or a report."""
    read_only: bool = False
    transient: bool = False
    """Reading or restoring it makes no sense: it triggers something, or the kernel changes it."""

    def exists_on(self, kernel: KernelVersion) -> bool:
        """Whether mainline ``kernel`` has it (a vendor's kernel may have it earlier)."""
        return (self.since is None or kernel >= self.since) and (self.until is None or kernel <= self.until)

    def default_on(self, kernel: KernelVersion) -> str | None:
        """The compiled-in default of ``kernel``."""
        if self.earlier_default and kernel < self.earlier_default[0]:
            return self.earlier_default[1]
        return self.default
