"""``/proc/sys/net``: every kernel setting of the namespace that the reading thread is in.

The directory shows the settings of the *reader's* namespace, whatever process one asks about (fact F117), so this runs
in a thread that has entered it. Cost: some 1100 keys on a host with four interfaces, 4 us each.

Left out: secrets (fact F118) and keys that only take orders (F119).
"""

from __future__ import annotations

from halfopen._core import read_settings
from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.text import readable

SECRETS = frozenset({"tcp_fastopen_key", "stable_secret", "netdev_rss_key"})
"""Never opened. The last is open to all, but whoever knows it can steer every packet to one processor."""
WRITE_ONLY = frozenset({"flush"})
"""``net.ipv4.route.flush``, ``net.ipv6.route.flush``: never opened."""
_SKIPPED = sorted(SECRETS | WRITE_ONLY)


def collect(context: NamespaceContext) -> dict[str, str]:
    """Read them all. A key that cannot be read (``stable_secret`` that was never set, another user's) is absent."""
    return parse_settings(read_settings(context.host.roots.proc / "sys/net", _SKIPPED))


def parse_settings(files: dict[bytes, bytes]) -> dict[str, str]:
    """Paths below ``net`` as keys, in their order; blanks at the ends gone, those within folded to one space."""
    return {_key(path): " ".join(readable(value).split()) for path, value in sorted(files.items())}


def _key(path: bytes) -> str:
    # As sysctl writes them: a dot inside a name (eth0.100) becomes a slash.
    return f"net.{readable(path).translate(_DOTS_AND_SLASHES)}"


_DOTS_AND_SLASHES = str.maketrans("./", "/.")
COLLECTOR = Collector("sysctls", "sysctls", "kernel settings", collect)
