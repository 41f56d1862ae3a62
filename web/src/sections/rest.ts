/** The shorter sections: the timeline, anomalies, TIME_WAIT, and what was wrong with the capture itself. */

import { timelineFigure, type Stretch } from "../charts/timeline";
import type { Report } from "../data";
import { h } from "../dom";
import { bytes, count, plural, safe, share, UNKNOWN, duration } from "../format";
import { ANOMALIES, DEFECTS, TIME_WAIT } from "../words";
import { nothing, section } from "./section";

export function timeline(report: Report, onSelect: (stretch: Stretch | null) => void): HTMLElement {
  if (report.timeline === null) return section("timeline", "Over time", [], nothing("No attempt to open a connection was seen."));
  if (report.timeline.attempts.length < 2) {
    const within = duration(report.timeline.step_s * 1e6);
    return section("timeline", "Over time", [], nothing(report.handshakes === 1 ? "There was only one attempt." : `All attempts began within ${within}.`));
  }
  const note = ["An attempt is counted where it began, completed or failed. Each strip has its own scale; its largest value stands above it at the right."];
  return section("timeline", "Over time", note, timelineFigure(report.timeline, onSelect));
}

const byCount = (counts: Map<string, number>): [string, number][] => [...counts].sort((a, b) => b[1] - a[1]);

/** name · count · share · sentence, the form of every closed list on the page. */
function explained(caption: string, head: string[], rows: { name: string; n: number; share: string; meaning: string }[]): HTMLElement {
  return h(
    "table",
    { class: "explained" },
    h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...head.map((title, i) => h("th", { scope: "col", class: i === 1 || i === 2 ? "n" : null }, title)))),
    h(
      "tbody",
      {},
      ...rows.map((row) =>
        h("tr", {}, h("th", { scope: "row" }, row.name.includes(" ") ? safe(row.name) : h("code", {}, safe(row.name))), h("td", { class: "n" }, count(row.n)), h("td", { class: "n share" }, row.share), h("td", { class: "meaning" }, row.meaning)),
      ),
    ),
  );
}

export function anomalies(report: Report): HTMLElement {
  if (report.anomalies.size === 0) return section("anomalies", "Anomalies", [], nothing("None."));
  const rows = byCount(report.anomalies).map(([name, n]) => ({ name, n, share: share(n, report.handshakes), meaning: ANOMALIES[name] ?? "" }));
  const note = ["What was odd about a handshake, whatever its outcome. One handshake may have several."];
  return section("anomalies", "Anomalies", note, explained(`Anomalies of ${plural(report.handshakes, "handshake")}`, ["Name", "Handshakes", "Share", "What it means"], rows));
}

export function timeWait(report: Report): HTMLElement {
  const whole = [...report.time_wait.values()].reduce((a, b) => a + b, 0);
  const note = ["The side that closes first is left with TIME_WAIT (RFC 9293, section 3.6)."];
  if (whole === 0) return section("time-wait", "TIME_WAIT", note, nothing("No orderly close was seen in the capture."));
  const rows = byCount(report.time_wait).map(([side, n]) => ({
    name: TIME_WAIT[side]?.title ?? side,
    n,
    share: share(n, whole),
    meaning: TIME_WAIT[side]?.meaning ?? "",
  }));
  return section("time-wait", "TIME_WAIT", note, explained(`Who holds it, of ${plural(whole, "connection")} closed by FIN`, ["Side", "Connections", "Share", "What it means"], rows));
}

export function capture(report: Report): HTMLElement {
  const note = ["What could not be read is counted here by kind. Everything before and after a defect was read."];
  const facts = [
    report.midstream ? `${plural(report.midstream, "connection")} had begun before the capture: counted, and no record made.` : null,
    report.evicted ? `${plural(report.evicted, "handshake")} pushed out of the full flow table before the end was known (--max-flows raises the limit).` : null,
  ].filter((fact): fact is string => fact !== null);
  return section("capture", "The capture", note, inputs(report), ...facts.map((fact) => h("p", {}, fact)), defects(report));
}

function inputs(report: Report): HTMLElement {
  const rows = report.inputs.map((input) => {
    const wrong = [...input.defects.values()].reduce((a, b) => a + b, 0);
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, h("code", { class: "path" }, safe(input.path === "-" ? "standard input" : input.path))),
      h("td", { class: "n" }, input.packets === null ? UNKNOWN : count(input.packets)),
      h("td", { class: "n" }, input.bytes === null ? UNKNOWN : bytes(input.bytes)),
      h("td", { class: "n" }, wrong === 0 ? "none" : count(wrong)),
    );
  });
  const head = ["File", "Packets", "Size", "Defects"].map((title, i) => h("th", { scope: "col", class: i > 0 ? "n" : null }, title));
  return h("table", { class: "inputs" }, h("caption", {}, "What was read"), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}

function defects(report: Report): HTMLElement | null {
  const sums = new Map<string, number>();
  for (const input of report.inputs) for (const [name, n] of input.defects) sums.set(name, (sums.get(name) ?? 0) + n);
  if (sums.size === 0) return null;
  const whole = report.packets ?? 0;
  const rows = byCount(sums).map(([name, n]) => ({ name, n, share: share(n, Math.max(whole, n)), meaning: DEFECTS[name] ?? "" }));
  return explained("Defects of the capture", ["Name", "Times", "Of packets", "What it means"], rows);
}
