"""``/proc/sys/net``: every kernel setting of the namespace that the reading thread is in.

The directory shows the settings of the *reader's* namespace, whatever process one asks about (fact F117), so this runs
in a thread that has entered it. Cost: some 1100 keys on a host with four interfaces, 4 us each; and the kernel keeps in
memory what was looked up, of every namespace: half a megabyte for each. On a host with very many namespaces only those
keys are read of most that this project knows something of.

Left out: secrets (fact F118) and keys that only take orders (F119); neither is ever opened.
"""

from __future__ import annotations

from functools import cache

from halfopen._core import read_named_settings, read_settings
from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.text import readable
from halfopen.knowledge.sysctls.secrets import SECRET_NAMES

WRITE_ONLY = frozenset({"flush"})
"""``net.ipv4.route.flush``, ``net.ipv6.route.flush``: never opened."""
_SKIPPED = sorted(SECRET_NAMES | WRITE_ONLY)


def collect(context: NamespaceContext) -> dict[str, str]:
    """Read them all. A key that cannot be read (``stable_secret`` that was never set, another user's) is absent."""
    root = context.sys_net
    if context.host.many and not (context.place.first or context.place.own):
        return parse_settings(read_named_settings(root, _known()))
    return parse_settings(read_settings(root, _SKIPPED))


@cache
def _known() -> list[bytes]:
    """Paths of the keys of the table of settings, which has all that rules look at."""
    from halfopen.knowledge.sysctls import ROWS

    keys = (row.key for row in ROWS if not row.secret and row.key.rpartition(".")[2] not in WRITE_ONLY)
    return [key.removeprefix("net.").replace(".", "/").encode() for key in keys]


def parse_settings(files: dict[bytes, bytes]) -> dict[str, str]:
    """Paths below ``net`` as keys, in their order; blanks at the ends gone, those within folded to one space."""
    return {_key(path): " ".join(readable(value).split()) for path, value in sorted(files.items())}


def _key(path: bytes) -> str:
    # As sysctl writes them: a dot inside a name (eth0.100) becomes a slash.
    return f"net.{readable(path).translate(_DOTS_AND_SLASHES)}"


_DOTS_AND_SLASHES = str.maketrans("./", "/.")
COLLECTOR = Collector("sysctls", "sysctls", "kernel settings", collect)
