"""The machine and the reader: uname(2), ``/etc/os-release``, a few files of ``/proc``, the reader's capabilities."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from halfopen.collect.framework import Collector, Context
from halfopen.collect.text import read_text, readable_name
from halfopen.model.host import Host

if TYPE_CHECKING:
    from pathlib import Path

#: Those that decide what can be seen (linux/capability.h).
CAPABILITIES = {
    1: "CAP_DAC_OVERRIDE", 2: "CAP_DAC_READ_SEARCH", 12: "CAP_NET_ADMIN", 13: "CAP_NET_RAW", 19: "CAP_SYS_PTRACE",
    21: "CAP_SYS_ADMIN", 34: "CAP_SYSLOG", 38: "CAP_PERFMON", 39: "CAP_BPF",
}  # fmt: skip


def collect(context: Context) -> Host:
    """Whatever can be read; the rest is null."""
    roots, kernel = context.host.roots, os.uname()
    release = _read(roots.file("/etc/os-release")) or _read(roots.file("/usr/lib/os-release"))
    return Host(
        name=readable_name(kernel.nodename),
        kernel=kernel.release,
        machine=kernel.machine,
        distribution=parse_distribution(release),
        boot_id=_read(roots.proc / "sys/kernel/random/boot_id").strip() or None,
        uptime_s=context.host.clock.boottime_ns / 1e9,
        cpus=os.sysconf("SC_NPROCESSORS_ONLN"),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        page_bytes=os.sysconf("SC_PAGE_SIZE"),
        euid=os.geteuid(),
        capabilities=parse_capabilities(_read(roots.proc / "self/status")),
        init=_read(roots.proc / "1/comm").strip() or None,
    )


def parse_distribution(text: str) -> str | None:
    """``PRETTY_NAME`` of os-release(5), without its quotes."""
    for line in text.split("\n"):
        name, equals, value = line.partition("=")
        if equals and name.strip() == "PRETTY_NAME":
            return value.strip().strip("\"'") or None
    return None


def parse_capabilities(status: str) -> tuple[str, ...]:
    """Names of the effective capabilities that matter here."""
    for line in status.split("\n"):
        if line.startswith("CapEff:"):
            mask = int(line.split()[1], 16)
            return tuple(name for bit, name in CAPABILITIES.items() if mask >> bit & 1)
    return ()


def _read(path: Path) -> str:
    try:
        return read_text(path)
    except OSError:  # hidden, or a system without it: null
        return ""


COLLECTOR = Collector("facts", "host", "facts of the host", collect)
