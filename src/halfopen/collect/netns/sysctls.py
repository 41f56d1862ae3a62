"""``/proc/sys/net``: every kernel setting of the namespace that the reading thread is in.

The directory shows the settings of the *reader's* namespace, whatever process one asks about (fact F117), so this runs
in a thread that has entered it. Cost: about 9 us a key, some 1100 keys on a host with four interfaces.

Left out: secrets (fact F118) and keys that only take orders (F119).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.text import readable, readable_name

if TYPE_CHECKING:
    from halfopen.model.snapshot import Unavailable

SECRETS = frozenset({"tcp_fastopen_key", "stable_secret", "netdev_rss_key"})
"""Never opened. The last is open to all, but whoever knows it can steer every packet to one processor."""
WRITE_ONLY = frozenset({"flush"})
"""``net.ipv4.route.flush``, ``net.ipv6.route.flush``: never opened."""
VALUE_BYTES = 1 << 16
"""``ip_local_reserved_ports`` can hold some 30 KB."""


def collect(context: NamespaceContext) -> dict[str, str] | Unavailable:
    """Read them all."""
    return read_tree(f"{context.host.roots.proc}/sys/net", "net")


def read_tree(directory: str, key: str) -> dict[str, str]:
    """{key: value} of a directory and those below it. Raises OSError when the directory itself cannot be read.

    A key that cannot be read by this user, or not at all (``stable_secret`` that was never set, a device that went
    away), is absent.
    """
    found: dict[str, str] = {}
    with os.scandir(directory) as entries:
        for entry in entries:
            name = entry.name
            if name in SECRETS or name in WRITE_ONLY:
                continue
            # As sysctl writes them: a dot inside a name (eth0.100) becomes a slash.
            below = f"{key}.{readable_name(name).replace('.', '/')}"
            if entry.is_dir(follow_symlinks=False):
                found.update(read_tree(entry.path, below))
            elif (value := _read(entry.path)) is not None:
                found[below] = parse_value(value)
    return found


def _read(path: str) -> bytes | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, VALUE_BYTES)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def parse_value(data: bytes) -> str:
    """Blanks at the ends gone, those within folded to one space."""
    return " ".join(readable(data).split())


COLLECTOR = Collector("sysctls", "sysctls", "kernel settings", collect)
