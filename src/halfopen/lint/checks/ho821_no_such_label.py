"""HO821: a label that the metric does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from halfopen.lint.check import Check
from halfopen.lint.promql import Selector, selectors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from halfopen.lint.context import Context
    from halfopen.model.finding import Finding

STATES = frozenset(
    {"established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close", "close_wait", "last_ack",
     "listen", "closing", "rx_queued_bytes", "tx_queued_bytes"}
)  # fmt: skip
"""Of node_exporter's tcpstat collector."""
INSTEAD = {
    "time_wait": 'use node_sockstat_TCP_tw, or node_tcp_connection_states{state="time_wait"} with --collector.tcpstat',
    "established": "use node_netstat_Tcp_CurrEstab without the label",
}


class NoSuchLabel(Check):
    """The metric has no such label, or no such value: the expression matches nothing, and the alert never fires.

    ## What it finds
    `state` on `node_netstat_*` and `node_sockstat_*` metrics, such as `node_netstat_Tcp_CurrEstab{state="time-
    wait"}`, and values of `state` of `node_tcp_connection_states` that do not exist (`time-wait` for `time_wait`).

    ## Why it matters
    A selector that matches no series yields an empty result: the alert is green for ever.

    ## Evidence
    The selector.

    ## Confirm by hand
    Query the metric without the label.

    ## Remedy
    For TIME_WAIT: `node_sockstat_TCP_tw`, which counts FIN_WAIT_2 without a process too, or
    `node_tcp_connection_states{state="time_wait"}` with `--collector.tcpstat`.

    ## When it is wrong
    When relabelling adds a label of that name.

    ## References
    node_exporter `collector/netstat_linux.go`, `tcpstat_linux.go`.
    """

    code = "HO821"
    name = "no-such-label"
    severity = "warning"
    harm = "risk"

    def check(self, context: Context) -> Iterator[Finding]:
        """Every such line."""
        for document, query in context.queries():
            for selector in selectors(query.text):
                state = selector.label("state")
                if state is None:
                    continue
                if selector.metric.startswith(("node_netstat_", "node_sockstat_")):
                    cause = "it has no label state: the expression matches nothing and never fires"
                    instead = INSTEAD.get(
                        state.replace("-", "_").lower(), "use node_tcp_connection_states, with --collector.tcpstat"
                    )
                elif selector.metric == "node_tcp_connection_states" and _is_unknown(selector, state):
                    cause = f"no state is called {state}: they are written with underscores and in lower case"
                    instead = f"write {state.replace('-', '_').lower()}"
                else:
                    continue
                yield self.at(document, query.place(selector.offset), selector.metric, cause, instead)


def _is_unknown(selector: Selector, state: str) -> bool:
    exact = any(label == "state" and operator in {"=", "!="} for label, operator, _ in selector.labels)
    return exact and state not in STATES and "$" not in state
