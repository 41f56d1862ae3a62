/** Ladders: the worst exchanges, packet by packet, as a drawing and as a table. */

import { ladderDrawing, since } from "../charts/ladder";
import type { Ladder, LadderRow, Report } from "../data";
import { h, responsive } from "../dom";
import { clock, plural, safe } from "../format";
import { nothing, section } from "./section";

export function ladders(report: Report): HTMLElement {
  if (report.ladders.length === 0) return section("ladders", "Ladders", [], nothing("No exchange was drawn."));
  const note = [
    "The worst exchanges, packet by packet, with the state of both ends after each packet as an observer on the path must think it is. A state that did not change is grey.",
    "Sequence numbers are relative above the arrow, as on the wire below it. Only what the capture saw is drawn: a packet that was lost before it has no arrow.",
  ];
  return section("ladders", "Ladders", note, ...report.ladders.map(one));
}

function one(ladder: Ladder, index: number): HTMLElement {
  const holder = h("div", { class: "chart" });
  // A closed ladder has no width yet; paper may ask for it before the screen does.
  holder.append(ladderDrawing(ladder, 720));
  responsive(holder, (width) => holder.replaceChildren(ladderDrawing(ladder, width)));
  return h(
    "details",
    { class: "ladder", id: `ladder-${index}`, open: index === 0 },
    h("summary", {}, safe(ladder.title)),
    h("figure", {}, holder, ladder.rows_left_out > 0 ? h("figcaption", {}, `${plural(ladder.rows_left_out, "later packet")} left out.`) : null),
    h("details", { class: "as-table" }, h("summary", {}, "The same as a table"), asTable(ladder)),
  );
}

const number = (n: number | null): string => (n === null ? "" : String(n));

function asTable(ladder: Ladder): HTMLElement {
  const columns: [string, (row: LadderRow) => string][] = [
    ["Frame", (r) => number(r.frame)],
    ["Since first", (r) => since(ladder, r)],
    ["Time, UTC", (r) => (r.time_ns === null ? "" : clock(r.time_ns, 9))],
    ["From", (r) => (r.from_client ? "client" : "server")],
    ["Flags", (r) => safe(r.flags)],
    ["seq", (r) => number(r.seq)],
    ["ack", (r) => number(r.ack)],
    ["Window", (r) => number(r.window)],
    ["Data, bytes", (r) => number(r.payload_len)],
    ["Options", (r) => safe(r.options ?? "")],
    ["Client state", (r) => safe(r.client_state ?? "")],
    ["Server state", (r) => safe(r.server_state ?? "")],
    ["Note", (r) => safe(r.note ?? "")],
  ];
  const rows = ladder.rows.filter((row) => row.left_out === null).map((row) =>
    h("tr", {}, ...columns.map(([, cell], i) => (i === 0 ? h("th", { scope: "row", class: "n" }, cell(row)) : h("td", {}, cell(row))))),
  );
  return h(
    "div",
    { class: "scroll", role: "region", "aria-label": `Packets of ${safe(ladder.title)}`, tabindex: 0 },
    h(
      "table",
      { class: "packets" },
      h("caption", {}, `Client ${safe(ladder.client)}, server ${safe(ladder.server)}`),
      h("thead", {}, h("tr", {}, ...columns.map(([title]) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, ...rows),
    ),
  );
}

/** Paper has no disclosure triangles: the drawings open for print. A link to a closed ladder opens it. */
export function openLaddersForPrint(): void {
  let opened: HTMLDetailsElement[] = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll<HTMLDetailsElement>("details.ladder:not([open])")];
    for (const each of opened) each.open = true;
  });
  addEventListener("afterprint", () => opened.forEach((each) => (each.open = false)));
  const follow = (): void => {
    const target = document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  addEventListener("hashchange", follow);
  follow();
}
