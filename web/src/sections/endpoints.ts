/** Endpoints: one row for each server address and port; and the addresses that never answer. */

import { outcomeStrip, rangePlot } from "../charts/bars";
import type { Endpoint, Report, SilentHost } from "../data";
import { h } from "../dom";
import { count, duration, endpoint, plural, safe, share, UNKNOWN } from "../format";
import { table, type Column } from "../table";
import { inOrder, outcomeClass, outcomeTitle } from "../words";
import { nothing, section } from "./section";

export function endpoints(report: Report): HTMLElement {
  const note = ["Press a heading to sort. The dot is p50 and the end of the line p99 of the whole handshake, on one logarithmic scale for all rows."];
  if (report.endpoints.length === 0) return section("endpoints", "Endpoints", [], nothing("No server endpoint was seen."));
  return section("endpoints", "Endpoints", note, legend(report), endpointTable(report), silent(report));
}

function legend(report: Report): HTMLElement {
  const items = inOrder(report.outcomes).map(([name]) => h("li", {}, h("span", { class: `swatch ${outcomeClass(name)}`, "aria-hidden": true }), outcomeTitle(name)));
  return h("ul", { class: "legend", "aria-label": "Patterns of the outcomes" }, ...items);
}

const judged = (row: Endpoint): number => row.handshakes - (row.outcomes.get("partial") ?? 0);
const completed = (row: Endpoint): number => row.outcomes.get("established") ?? 0;

function endpointTable(report: Report): HTMLElement {
  const domain = rangeDomain(report.endpoints);
  const columns: Column<Endpoint>[] = [
    { title: "Server", key: (r) => endpoint(r.server, r.port), cell: (r) => h("code", {}, safe(endpoint(r.server, r.port))) },
    { title: "Handshakes", numeric: true, key: (r) => r.handshakes, cell: (r) => count(r.handshakes) },
    { title: "Failed", numeric: true, key: (r) => r.failed, cell: (r) => count(r.failed) },
    { title: "Completed", numeric: true, key: (r) => (judged(r) > 0 ? completed(r) / judged(r) : null), cell: (r) => share(completed(r), judged(r)) },
    { title: "Outcomes", className: "wide", cell: (r) => outcomeStrip(r.outcomes) },
    { title: "p50", numeric: true, key: (r) => r.handshake.p50, cell: (r) => duration(r.handshake.p50) },
    { title: "p99", numeric: true, key: (r) => r.handshake.p99, cell: (r) => duration(r.handshake.p99) },
    { title: "p50 to p99", className: "plot", cell: (r) => rangePlot(r.handshake, domain) },
    { title: "SYN re-sent", numeric: true, key: (r) => r.retransmitted, cell: (r) => (r.retransmitted === null ? UNKNOWN : count(r.retransmitted)) },
  ];
  const left = report.endpoints_total - report.endpoints.length;
  const caption = left > 0
    ? `The ${count(report.endpoints.length)} endpoints with the most handshakes, of ${count(report.endpoints_total)}; the other ${count(left)} are in the totals and not in this page`
    : plural(report.endpoints.length, "server endpoint");
  return table({
    caption,
    columns,
    rows: report.endpoints,
    page: 25,
    haystack: (r) => `${endpoint(r.server, r.port)} ${[...r.outcomes.keys()].flatMap((name) => [name, outcomeTitle(name)]).join(" ")}`.toLowerCase(),
    filterLabel: "Filter by address, port or outcome",
  }).element;
}

function rangeDomain(rows: Endpoint[]): [number, number] {
  let [low, high] = [Infinity, 0];
  for (const { handshake: q } of rows) {
    if (q.p50 !== null) low = Math.min(low, Math.max(q.p50, 1));
    if (q.p99 !== null) high = Math.max(high, q.p99);
  }
  return high / low >= 10 ? [low, high] : [low === Infinity ? 1 : low / 3, Math.max(high, 1) * 3];
}

function silent(report: Report): HTMLElement | null {
  if (report.silent_hosts.length === 0) return null;
  const columns: Column<SilentHost>[] = [
    { title: "Address", key: (r) => r.server, cell: (r) => h("code", {}, safe(endpoint(r.server, r.port))) },
    { title: "Attempts", numeric: true, key: (r) => r.handshakes, cell: (r) => count(r.handshakes) },
    { title: "SYNs sent", numeric: true, key: (r) => r.syn_sent, cell: (r) => (r.syn_sent === null ? UNKNOWN : count(r.syn_sent)) },
    { title: "Ports tried", numeric: true, key: (r) => r.ports, cell: (r) => (r.ports === null ? UNKNOWN : count(r.ports)) },
    { title: "Clients", numeric: true, key: (r) => r.clients, cell: (r) => (r.clients === null ? UNKNOWN : `${r.clients_exact ? "" : "≈ "}${count(r.clients)}`) },
  ];
  const caption = `${plural(report.silent_hosts_total, "address", "addresses")} that answered not one attempt`;
  return table({ caption, columns, rows: report.silent_hosts, page: 10 }).element;
}
