"""``/proc/net/stat/synproxy``: what SYNPROXY answered in place of the servers behind it (fact 35).

The file exists once the module is loaded; without it there is nothing to count, and that is no gap.
"""

from __future__ import annotations

from halfopen.collect.framework import Collector, NamespaceContext
from halfopen.collect.per_cpu import parse_summed
from halfopen.collect.text import read_text


def collect(context: NamespaceContext) -> dict[str, int]:
    """Sum over processors."""
    try:
        return parse_summed(read_text(f"{context.net}/stat/synproxy"))
    except FileNotFoundError:
        return {}


COLLECTOR = Collector("synproxy", "synproxy", "counters of SYNPROXY", collect)
