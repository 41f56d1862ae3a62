/** Latency: the figure, its quantiles as a table, and the time lost to retransmitted SYNs. */

import { latencyFigure } from "../charts/latency";
import { MEASURES, type Report } from "../data";
import { h } from "../dom";
import { count, duration, plural, share } from "../format";
import { MEASURE_WORDS } from "../words";
import { nothing, section } from "./section";

export function latency(report: Report): HTMLElement {
  const note = [
    "All panels share one logarithmic time axis: each step to the right is a factor. A point of a curve says which share was at or below that time.",
    "A second heap about 1 s, 2 s or 3 s to the right is not a slow network: it is a SYN that was lost and sent again.",
  ];
  const figure = latencyFigure(report.latency);
  if (figure === null) return section("latency", "Latency", [], nothing("No SYN-ACK to a SYN is in the capture, so there is no latency to show."));
  return section("latency", "Latency", note, figure, quantiles(report), waits(report));
}

function quantiles(report: Report): HTMLElement {
  const rows = MEASURES.filter((measure) => (report.latency[measure].count ?? 1) > 0).map((measure) => {
    const { p50, p90, p99, max, count: n } = report.latency[measure];
    return h(
      "tr",
      { "data-measure": measure },
      h("th", { scope: "row" }, MEASURE_WORDS[measure].title, h("span", { class: "meaning" }, MEASURE_WORDS[measure].meaning)),
      ...[p50, p90, p99, max].map((value) => h("td", { class: "n" }, duration(value))),
      h("td", { class: "n" }, n === null ? "" : count(n)),
    );
  });
  const head = ["Part", "p50", "p90", "p99", "largest", "handshakes"].map((title, i) => h("th", { scope: "col", class: i > 0 ? "n" : null }, title));
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": "Latency in numbers", tabindex: 0 },
    h("table", { class: "quantiles" }, h("caption", {}, "The same in numbers"), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)),
  );
}

function waits(report: Report): HTMLElement | null {
  const waited = report.waits.filter((wait) => wait.seconds > 0);
  if (waited.length === 0) return null;
  const answered = report.answered ?? report.waits.reduce((sum, wait) => sum + wait.count, 0);
  const most = Math.max(...waited.map((wait) => wait.count));
  const rows = waited.map((wait) => {
    const bar = h("span", { class: "fill lost" });
    bar.style.width = `${(100 * wait.count) / most}%`;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, `about ${count(wait.seconds)} s`),
      h("td", { class: "n" }, count(wait.count)),
      h("td", { class: "n share" }, share(wait.count, answered)),
      h("td", { class: "bar-cell" }, h("span", { class: "track", "aria-hidden": true }, bar)),
    );
  });
  const head = ["Waited", "Handshakes", "Share", ""].map((title, i) =>
    title ? h("th", { scope: "col", class: i > 0 ? "n" : null }, title) : h("td", {}),
  );
  return h(
    "table",
    { class: "waits" },
    h("caption", {}, `Waiting for a retransmitted SYN, of ${plural(answered, "answered attempt")}`),
    h("thead", {}, h("tr", {}, ...head)),
    h("tbody", {}, ...rows),
  );
}
