"""The machine, and the user who looked at it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Host:
    """What is true of the whole machine."""

    name: str
    """Host name (hostile text, like every name)."""
    kernel: str
    """``uname -r``. Features are probed, never deduced from it."""
    machine: str = ""
    """``uname -m``."""
    distribution: str | None = None
    """``PRETTY_NAME`` of os-release."""
    boot_id: str | None = None
    """Two snapshots with different ones have a reboot between them."""
    uptime_s: float | None = None
    """Seconds since boot, with suspension."""
    cpus: int | None = None
    """Processors online."""
    memory_bytes: int | None = None
    """Total memory."""
    page_bytes: int = 4096
    """Page size: tcp_mem is in pages."""
    euid: int = 0
    """Effective user of the reader."""
    capabilities: tuple[str, ...] = ()
    """Effective capabilities of the reader that matter here: ``CAP_NET_ADMIN``, ``CAP_SYS_PTRACE``…"""
    init: str | None = None
    """Name of process 1: ``systemd`` means that systemd-sysctl sets keys at boot."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the kernel's log that matters here: floods, conntrack, memory, ports."""

    at_ns: int
    """When, nanoseconds since the epoch (the log's monotonic time, added to the boot time)."""
    text: str
    """As the kernel wrote it (hostile text: process names stand in it)."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of a sysctl configuration file."""

    line: int
    """1-based."""
    key: str
    """With dots, as files write it: ``net.ipv4.tcp_syncookies``; ``/`` as separator is translated."""
    value: str
    """As written, without the space around it."""
    ignore_errors: bool = False
    """The ``-`` before the key."""


@dataclass(frozen=True, slots=True)
class SettingFile:
    """A file that sets kernel parameters at boot, in the order of its directory. Who wins is computed, not stored."""

    path: str
    """``/etc/sysctl.d/99-tuning.conf``."""
    settings: tuple[Setting, ...] = ()
    """Its settings in order, those under ``net`` only."""
    target: str | None = None
    """What it points to, when it is a symbolic link."""


@dataclass(frozen=True, slots=True)
class Softnet:
    """One row of /proc/net/softnet_stat: what one processor's receive queue lost."""

    cpu: int
    processed: int
    dropped: int
    squeezed: int


@dataclass(frozen=True, slots=True)
class Global:
    """Numbers that the kernel keeps once for all namespaces."""

    orphans: int | None = None
    """TCP sockets without a process (``/proc/net/sockstat``: orphan)."""
    allocated: int | None = None
    """TCP sockets allocated."""
    memory_pages: int | None = None
    """Pages that TCP buffers take."""
    softnet: tuple[Softnet, ...] = field(default_factory=tuple)
    """A row a processor."""
