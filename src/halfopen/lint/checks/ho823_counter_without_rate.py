"""HO823: an alert on a counter since boot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check
from halfopen.lint.promql import compares, selectors, without_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

_COUNTER = re.compile(r"node_netstat_(?:Tcp|TcpExt|Ip|IpExt)_")
GAUGES = frozenset({"node_netstat_Tcp_CurrEstab"})
_OFFSET = re.compile(r"\s*offset\b", re.IGNORECASE)


class CounterWithoutRate(Check):
    """A counter since boot is compared with a number.

    ## What it finds
    Alerts that compare a counter of TCP (`ListenDrops`, `ListenOverflows`, `SyncookiesSent`, `TCPSynRetrans`…)
    without `rate()` or `increase()`.

    ## Why it matters
    It never falls: one drop in spring keeps the alert red until the next boot, and who has seen it twice no longer
    looks.

    ## Evidence
    The expression.

    ## Confirm by hand
    Look at the metric's graph: it only climbs.

    ## Remedy
    Write `increase(METRIC[5m]) > 0`, or a rate.

    ## When it is wrong
    Never, for a counter.

    ## References
    node_exporter `collector/netstat_linux.go`: exported as untyped, so that Prometheus cannot warn.
    """

    code = "HO823"
    name = "counter-without-rate"
    severity = "warning"
    harm = "risk"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, query in context.queries():
            if query.alert is None or not compares(query.text):
                continue
            found = list(selectors(without_arguments(query.text, _NOT_OF_THE_VALUE)))
            # «x - x offset 5m» is a growth too.
            grown = {selector.metric for selector in found if _OFFSET.match(query.text, selector.end)}
            for selector in found:
                if selector.metric in grown:
                    continue
                if _COUNTER.match(selector.metric) and selector.metric not in GAUGES and not selector.ranged:
                    yield self.at(
                        document,
                        query.place(selector.offset),
                        selector.metric,
                        "it counts since boot and never falls: the alert stays red after the first event",
                        f"write increase({selector.metric}[5m])",
                    )
                    break


#: Functions whose result does not depend on the counter's value.
_NOT_OF_THE_VALUE = frozenset({"absent", "count", "count_values", "group", "timestamp"})
