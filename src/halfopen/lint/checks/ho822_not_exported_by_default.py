"""HO822: a metric that node_exporter does not export by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from halfopen.lint.check import Check
from halfopen.lint.promql import selectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

_LEFT_OUT = re.compile(
    r"node_netstat_((?:Tcp_(?:AttemptFails|EstabResets)|TcpExt_(?:TCPReqQFull\w+|TCPTimeWaitOverflow|TCPAbortOn\w+"
    r"|TCPFastOpen\w+|TCPDeferAcceptDrop|TCPBacklogDrop|IPReversePathFilter)))"
)


class NotExportedByDefault(Check):
    """node_exporter exports this metric only when told to.

    ## What it finds
    Counters that are not in the default list of the netstat collector (`AttemptFails`, `EstabResets`, `TCPReqQFull*`,
    `TCPTimeWaitOverflow`, `TCPAbortOn*`, `TCPFastOpen*`, `TCPDeferAcceptDrop`, `TCPBacklogDrop`,
    `IPReversePathFilter`), and `node_tcp_connection_states`, whose collector is off.

    ## Why it matters
    Without the option the metric does not exist, and an alert on it never fires.

    ## Evidence
    The metric.

    ## Confirm by hand
    `curl -s localhost:9100/metrics | grep METRIC`.

    ## Remedy
    Start node_exporter with `--collector.netstat.fields` that match the counter, or with `--collector.tcpstat`; and
    alert on `absent()`.

    ## When it is wrong
    When it is started so; then leave this check out with `--ignore`.

    ## References
    node_exporter `collector/netstat_linux.go`.
    """

    code = "HO822"
    name = "not-exported-by-default"
    severity = "notice"
    harm = "risk"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, query in context.queries():
            for selector in selectors(query.text):
                match = _LEFT_OUT.fullmatch(selector.metric)
                if match or selector.metric == "node_tcp_connection_states":
                    option = f"--collector.netstat.fields that match {match[1]}" if match else "--collector.tcpstat"
                    yield self.at(
                        document,
                        query.place(selector.offset),
                        selector.metric,
                        "node_exporter does not export it by itself: without its option the expression matches nothing",
                        f"start node_exporter with {option}",
                    )
