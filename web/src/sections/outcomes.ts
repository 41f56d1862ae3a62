/** Outcomes: how the attempts ended, each with its count, its share and what the word means. */

import { outcomeBar } from "../charts/bars";
import type { Report } from "../data";
import { h } from "../dom";
import { count, plural, share } from "../format";
import { inOrder, outcomeTitle, OUTCOMES } from "../words";
import { nothing, section } from "./section";

export function outcomes(report: Report): HTMLElement {
  const whole = [...report.outcomes.values()].reduce((a, b) => a + b, 0);
  const note = ["Every attempt to open a connection, its retransmissions included, ends in exactly one of these."];
  return section("outcomes", "Outcomes", note, whole === 0 ? nothing("No handshake was seen.") : list(report.outcomes, whole));
}

function list(outcomes: Map<string, number>, whole: number): HTMLElement {
  const rows = inOrder(outcomes).map(([name, n]) =>
    h(
      "tr",
      { "data-outcome": name },
      h("th", { scope: "row" }, outcomeTitle(name)),
      h("td", { class: "n" }, count(n)),
      h("td", { class: "n share" }, share(n, whole)),
      h("td", { class: "bar-cell" }, outcomeBar(name, n, whole), h("span", { class: "meaning" }, OUTCOMES[name]?.meaning ?? "")),
    ),
  );
  const head = ["Outcome", "Handshakes", "Share", "What it means"].map((title, i) => h("th", { scope: "col", class: i === 1 || i === 2 ? "n" : null }, title));
  return h(
    "table",
    { class: "outcomes" },
    h("caption", {}, `How ${plural(whole, "handshake")} ended`),
    h("thead", {}, h("tr", {}, ...head)),
    h("tbody", {}, ...rows),
  );
}
